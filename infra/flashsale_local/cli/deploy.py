"""The command `flashsale deploy`."""

import os
from collections.abc import Mapping
from typing import Annotated

import typer

from flashsale_local.console import console, step, table
from flashsale_local.deployment import changes, preflight, steps
from flashsale_local.deployment import deploy as deployment
from flashsale_local.deployment.target import Target
from flashsale_local.paths import LOCAL
from flashsale_local.problems import Problem
from flashsale_local.stack.access import with_auth_of_shell
from flashsale_local.stack.asgi import restart_with_new_settings
from flashsale_local.stack.containers import in_containers
from flashsale_local.stack.stack import Stack

LOGS = LOCAL / "logs"


def deploy(
    env: Annotated[str, typer.Option(help="An environment of samconfig.toml.")] = "local",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before a change.")] = False,  # noqa: FBT002
) -> None:
    """Build and check, show and make the changes, migrate the database, run a smoke test.

    Before each stack changes, the command shows the changes and asks. The environment "local" is
    the running emulator. All others are on AWS, with the credentials of this shell.

    Example: [bold]flashsale deploy --env prod[/]
    """
    environment = steps.Environment.load(env)
    if env == "local":
        if in_containers(LOCAL):
            raise Problem(
                "The stack runs in containers, which need a build of another form.",
                "Run `DOCKER=1 make up`: it builds, deploys and migrates.",
            )
        target = with_auth_of_shell(Target.load(LOCAL))
        parameters = deployment.local_parameters(target)
    else:
        console.print(f"AWS, region [bold]{preflight.region(os.environ)}[/]")
        target = Target("", "", "", stack_name=environment.stack_name)
        parameters = {}
    planned = _steps(environment, target, parameters)
    with step("check the templates"):
        steps.validate(LOGS / "validate.log")
    built = {n: v for n, v in parameters.items() if n in ("PythonRuntime", "Architecture")}
    built |= environment.parameters("build")
    with deployment.building():
        with step("sam build"):
            deployment.build(env, built, LOGS / "sam-build.log")
        made: dict[str, Mapping[str, str]] = {}
        for planned_step in planned:
            _change_stack(planned_step, made, environment.tags, ask=not yes)
            made[planned_step.stack_name] = changes.outputs(planned_step.stack_name)
    target.cloud.finish_deploy(target.stack_name, parameters)
    if env == "local":
        restart_with_new_settings(Stack(LOCAL), target, console.print)
    with step("migrate") as done:
        done(f"migrated the database ({', '.join(deployment.migrate(target)) or 'nothing to do'})")
    with step("smoke test") as done:
        done(f"smoke test: {steps.smoke_test(target.api)}")
    console.print(f"API: [bold]{target.api.curl}[/]", soft_wrap=True)


def _steps(
    environment: steps.Environment, target: Target, parameters: Mapping[str, str]
) -> list[steps.Step]:
    def package() -> str:
        return deployment.package(environment.name, LOGS / "sam-package.log")

    if not target.endpoint_url:
        return steps.steps(environment, package)
    return [steps.Step(target.stack_name, package, lambda _: dict(parameters))]


def _change_stack(
    planned: steps.Step,
    made: Mapping[str, Mapping[str, str]],
    tags: Mapping[str, str],
    *,
    ask: bool,
) -> None:
    with step(f"{planned.stack_name}: what would change?"):
        template = planned.template()
        parameters = steps.identified(template, planned.parameters(made))
        proposed = changes.propose(planned.stack_name, template, parameters, tags)
    agreed = False
    try:
        _show(proposed)
        agreed = not (ask and proposed.changes) or typer.confirm(f"Change {planned.stack_name}?")
    finally:  # also after Ctrl-C
        if not agreed:
            proposed.drop()
    if not agreed:
        raise Problem(
            f"{planned.stack_name} was not changed.", "Nothing after it was changed either."
        )
    with step(f"{planned.stack_name}: deployed"):
        proposed.execute()


def _show(proposed: changes.ChangeSet) -> None:
    if not proposed.changes:
        console.print(f"{proposed.stack_name}: nothing to change")
        return
    shown = table(f"Changes of {proposed.stack_name}", "", "resource", "type", "", numbers_from=9)
    for change in proposed.changes:
        loss = "[bold red]replaced: its data is lost[/]" if change.replaced else ""
        shown.add_row(change.action, change.resource, change.kind, loss)
    console.print(shown)
