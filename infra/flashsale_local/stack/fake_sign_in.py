"""The sign-in for made-up users, where buyers need a token."""

import sys
from dataclasses import replace

from flashsale_local.deployment.target import Target
from flashsale_local.paths import SOURCE_ROOTS
from flashsale_local.stack.program import HOST, Program, answers
from flashsale_local.stack.stack import Stack
from flashsale_local.stack.watchers import start_or_leave_out

NAME = "sign-in"


def fake_sign_in(port: int, edge_port: int, target: Target) -> Program:
    """Return the program that signs buyers of the ASGI edge in."""
    url = f"http://{HOST}:{port}"
    return Program(
        name=NAME,
        url=url,
        port=port,
        port_variable="FLASHSALE_SIGN_IN_PORT",
        command=[sys.executable, "-m", "flashsale_local.fake_sign_in"],
        ready=lambda: answers(url),
        environment={
            "PYTHONPATH": SOURCE_ROOTS,
            "FLASHSALE_SIGN_IN_PORT": str(port),
            "TOKEN_SECRET": target.token_secret,
            "SHOP_ORIGINS": f"http://{HOST}:{edge_port} http://localhost:{edge_port}",
        },
    )


def with_sign_in(stack: Stack, target: Target) -> Target:
    """Return the target with the address that the sign-in will have; "" where none is needed."""
    needed = target.auth == "jwt"
    return replace(target, sign_in_url=f"http://{HOST}:{stack.sign_in_port}" if needed else "")


def start_fake_sign_in(stack: Stack, target: Target) -> Target:
    """Start the sign-in if buyers need a token, and otherwise stop it; return the target with it.

    It is left out if it cannot start, because only the shop's page needs it.
    """
    if not target.sign_in_url:
        stack.supervisor.remove(NAME)
        return target
    program = fake_sign_in(stack.sign_in_port, stack.edge_port, target)
    if not stack.supervisor.runs_with(program):
        target = replace(target, sign_in_url=start_or_leave_out(stack, program))
    target.save(stack.directory)
    return target
