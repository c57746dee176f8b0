"""Starts the local stack and deploys the application to it."""

import json
import os
import time
from collections.abc import Mapping
from dataclasses import replace

from flashsale_local.console import report_done, step
from flashsale_local.deployment import deploy as deployment
from flashsale_local.deployment.sign_in import refuse_other_issuers
from flashsale_local.deployment.target import Target
from flashsale_local.paths import LOCAL
from flashsale_local.problems import Problem
from flashsale_local.stack import compose
from flashsale_local.stack.access import access_settings_of, require_explicit_auth
from flashsale_local.stack.asgi import restart_with_new_settings
from flashsale_local.stack.containers import record_start, refuse_the_other_way
from flashsale_local.stack.fake_provider import start_fake_provider, with_provider
from flashsale_local.stack.fake_sign_in import start_fake_sign_in, with_sign_in
from flashsale_local.stack.lock import hold
from flashsale_local.stack.stack import Stack

# Programs that start after the servers, and the field of `Target` with the address of each.
LATER = {
    "edge": "asgi_url",
    "provider": "provider_url",
    "sign-in": "sign_in_url",
    "exporter": "exporter_url",
    "prometheus": "prometheus_url",
}


def start(*, asgi: bool = False, as_processes: bool = False) -> Target:
    """Start the stack and deploy to it. No other command may change it until this process ends.

    Args:
        asgi: the ASGI edge is to be started afterwards, so its port must be free as well.
        as_processes: the caller stops servers, or measures them, and cannot do so in containers.

    """
    refuse_other_issuers(os.environ)
    hold(LOCAL)
    docker = bool(os.environ.get("DOCKER"))
    if docker and as_processes:
        raise Problem(
            "DOCKER is set, and this command needs servers that are processes of this machine.",
            "Stop a stack in containers by `make down`, unset DOCKER, and try again.",
        )
    refuse_the_other_way(LOCAL, docker=docker)
    if docker:
        return _start_in_docker()
    stack = Stack(LOCAL)
    stack.refuse_taken_ports(asgi=asgi)
    fresh = not stack.supervisor.running
    try:
        stack.up(report_done)
        target = with_provider(stack, with_running_programs(stack, stack.target()))
        target = with_sign_in(stack, target)
        target.export()
        require_explicit_auth(access_settings_of(target), os.environ)
        target.save(LOCAL)
        deploy_locally(target)
        restart_with_new_settings(stack, target, report_done)
        target = start_fake_sign_in(stack, start_fake_provider(stack, target))
    except BaseException:
        if fresh:
            stack.down()
        raise
    return target


def with_running_programs(stack: Stack, target: Target) -> Target:
    """Return the target with the addresses of programs that an earlier command started."""
    path, programs = stack.directory / "target.json", stack.supervisor.info()
    saved = json.loads(path.read_text()) if path.exists() else {}
    return replace(
        target,
        **{
            field: saved[field]
            for program, field in LATER.items()
            if programs.get(program, {}).get("statename") == "RUNNING" and field in saved
        },
    )


def _start_in_docker() -> Target:
    target = compose.target()
    record_start(LOCAL)
    compose.up(*compose.STORES)
    target.export()
    require_explicit_auth(access_settings_of(target), os.environ)
    target.save(LOCAL)
    deploy_locally(target, compose.FUNCTION_PARAMETERS, flat=True)
    compose.up()
    return target


def deploy_locally(
    target: Target, parameters: Mapping[str, str] | None = None, *, flat: bool = False
) -> None:
    """Build the application, deploy it to the emulator, and migrate the database.

    Args:
        parameters: template parameters that overrule those of the local stack.
        flat: put the layer into each function; see `deployment.build`.

    """
    parameters = {**deployment.local_parameters(target), **(parameters or {})}
    built = {name: parameters[name] for name in ("PythonRuntime", "Architecture")}
    logs = LOCAL / "logs"
    with deployment.building():
        with step("sam build (the first time it downloads the functions' packages)") as done:
            started = time.monotonic()
            deployment.build("local", built, logs / "sam-build.log", flat=flat)
            done(f"sam build ({time.monotonic() - started:.1f} s)")
        with step("sam deploy") as done:
            started = time.monotonic()
            deployment.deploy("local", target.stack_name, parameters, logs / "sam-deploy.log")
            target.cloud.finish_deploy(target.stack_name, parameters)
            done(f"sam deploy to {target.cloud.name} ({time.monotonic() - started:.1f} s)")
    with step("migrate") as done:
        applied = deployment.migrate(target)
        done(f"migrated the database ({', '.join(applied) or 'nothing to apply'})")
