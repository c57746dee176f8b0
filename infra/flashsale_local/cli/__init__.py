"""The command `flashsale`."""

import logging
import sys

import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich.panel import Panel
from rich.text import Text

from flashsale.errors import FlashsaleError
from flashsale_local.cli import (
    demo,
    dlq,
    logs,
    model,
    monitor,
    release,
    sale,
    stack,
    token,
    verify,
    watch,
)
from flashsale_local.console import errors
from flashsale_local.problems import Problem

app = typer.Typer(
    name="flashsale",
    help="Run, fill, inspect and deploy a flash sale.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
for command in (stack.up, stack.down, stack.status, release.deploy, logs.logs, token.token):
    app.command()(command)
for command in (
    sale.seed,
    sale.open_,
    verify.verify,
    sale.rebuild,
    demo.demo,
    model.model,
    monitor.monitor,
    watch.exporter,
):
    app.command(command.__name__.rstrip("_"))(command)
app.add_typer(dlq.app, name="dlq")


def main() -> None:
    """Run the command line; a Problem is shown as one message, and sets the exit status."""
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)  # what it warns of is raised too
    try:
        app()
    except Problem as problem:
        lines = [problem.cause]
        if problem.log_tail:
            lines += ["", f"From {problem.log}:", problem.log_tail]
        _show("\n".join([*lines, "", problem.way_out]))
        sys.exit(problem.status)
    except FlashsaleError as error:
        _show(f"{error}\n\nSee `flashsale status`; `flashsale up` starts what is down.")
        sys.exit(1)
    except (BotoCoreError, ClientError) as error:
        _show(
            f"{error}\n\nIt is AWS (or the emulator) that says so. Look at the credentials and the "
            "region of this shell (AWS_PROFILE, AWS_DEFAULT_REGION), and at what the user may do."
        )
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def _show(problem: str) -> None:
    # Text: what strangers wrote may look like rich's markup.
    errors.print(Panel(Text(problem), title="Problem", style="red"))
