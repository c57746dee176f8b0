"""Runs a command line, and shows what went wrong without a traceback."""

import logging
import sys
from collections.abc import Callable

from botocore.exceptions import BotoCoreError, ClientError
from rich.panel import Panel
from rich.text import Text

from flashsale.errors import FlashsaleError
from flashsale_local.console import errors
from flashsale_local.problems import Problem


def run_command_line(app: Callable[[], object]) -> None:
    """Run `app`. A `Problem` is shown as one message, and sets the exit status."""
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)  # its warnings are also raised
    try:
        app()
    except Problem as problem:
        lines = [problem.cause]
        if problem.log_tail:
            lines += ["", f"From {problem.log}:", problem.log_tail]
        _show("\n".join([*lines, "", problem.way_out]))
        sys.exit(problem.status)
    except FlashsaleError as error:
        _show(f"{error}\n\nSee `flashsale status`. `flashsale up` starts what is down.")
        sys.exit(1)
    except (BotoCoreError, ClientError) as error:
        _show(
            f"{error}\n\nThis answer comes from AWS or from the emulator. Check the credentials "
            "and the region of this shell (AWS_PROFILE, AWS_DEFAULT_REGION), and the user's "
            "permissions."
        )
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def _show(problem: str) -> None:
    # A Text, because untrusted input may look like rich's markup.
    errors.print(Panel(Text(problem), title="Problem", style="red"))
