"""The fake payment provider of the stack. It calls the deployment's webhook, so it starts later."""

import sys
from dataclasses import replace

from flashsale_local.deployment.sign_in import own_secret
from flashsale_local.deployment.target import Target
from flashsale_local.paths import SOURCE_ROOTS
from flashsale_local.stack.program import HOST, Program, answers
from flashsale_local.stack.stack import Stack
from flashsale_local.stack.watchers import start_or_leave_out

WEBHOOK = "/api/payments/webhook"


def fake_provider(port: int, target: Target) -> Program:
    """Return the program that takes payments for a deployment, and sends it signed webhooks.

    Raises:
        Problem: the application is not deployed.

    """
    url, webhook = f"http://{HOST}:{port}", target.webhook_endpoint
    return Program(
        name="provider",
        url=url,
        port=port,
        port_variable="FLASHSALE_PROVIDER_PORT",
        command=[sys.executable, "-m", "flashsale_local.fake_provider"],
        ready=lambda: answers(url),
        environment={
            "PYTHONPATH": SOURCE_ROOTS,
            "FLASHSALE_PROVIDER_PORT": str(port),
            "PROVIDER_KEY": target.provider_key,
            "WEBHOOK_URL": f"{webhook.url}{WEBHOOK}",
            "WEBHOOK_HEADERS": " ".join(f"{name}:{v}" for name, v in webhook.headers.items()),
            "WEBHOOK_SECRET": target.webhook_secret,
        },
    )


def with_provider(stack: Stack, target: Target) -> Target:
    """Return the target with the address that the fake provider will have, for the deployment."""
    url = f"http://{HOST}:{stack.provider_port}"
    return replace(
        target, provider_url=url, provider_key=own_secret(stack.directory, "provider-key")
    )


def start_fake_provider(stack: Stack, target: Target) -> Target:
    """Start the fake provider unless it runs; return the target with it.

    It is left out if it cannot start, because only products with a payment hold need it. One that
    runs with these settings keeps running, because its payments are in its memory.
    """
    program = fake_provider(stack.provider_port, target)
    if not stack.supervisor.runs_with(program):
        target = replace(target, provider_url=start_or_leave_out(stack, program))
    target.save(stack.directory)
    return target
