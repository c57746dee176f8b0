"""The command `flashsale`."""

import typer

from flashsale_local.cli import (
    demo,
    deploy,
    dlq,
    exporter,
    logs,
    model,
    monitor,
    sale,
    stack,
    token,
    verify,
)
from flashsale_local.command_line import run_command_line

app = typer.Typer(
    name="flashsale",
    help="Run, fill, inspect and deploy a flash sale.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
for command in (stack.up, stack.down, stack.status, deploy.deploy, logs.logs, token.token):
    app.command()(command)
for command in (
    sale.seed,
    sale.open_,
    verify.verify,
    sale.rebuild,
    demo.demo,
    model.model,
    monitor.monitor,
    exporter.exporter,
):
    app.command(command.__name__.rstrip("_"))(command)
app.add_typer(dlq.app, name="dlq")


def main() -> None:
    """Run the command line."""
    run_command_line(app)
