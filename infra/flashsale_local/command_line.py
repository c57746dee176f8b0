"""Runs a command line, and shows what went wrong without a traceback."""

import logging
import re
import sys
from collections.abc import Callable

from rich.panel import Panel
from rich.text import Text

from flashsale.errors import FlashsaleError, ServiceUnavailable
from flashsale_local.console import errors
from flashsale_local.problems import AccessRefused, Problem, StackDown

# The clients' exceptions that mean "no answer". They are compared by name, because an import of all
# clients takes longer than `flashsale --help`.
_NO_ANSWER = {
    "botocore.exceptions.ConnectionError",
    "botocore.exceptions.HTTPClientError",
    "httpx.TransportError",
    "psycopg.OperationalError",
    "redis.exceptions.ConnectionError",
    "redis.exceptions.TimeoutError",
}
# What Redis, Valkey and PostgreSQL say to a client that may not come in.
_REFUSED = re.compile(
    r"password|authentication (required|failed)|role .* does not exist|no pg_hba.conf entry"
    r"|no permission|permission denied",
    re.IGNORECASE,
)
_AWS = {"botocore.exceptions.BotoCoreError", "botocore.exceptions.ClientError"}


INTERRUPTED = 130


def run_command_line(
    app: Callable[[], object], interrupted: Callable[[], None] = lambda: None
) -> None:
    """Run `app`. A `Problem` is shown as one message, and sets the exit status.

    Args:
        interrupted: called after Ctrl+C, for example to say what still runs.

    """
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)  # its warnings are also raised
    try:
        app()
    except (KeyboardInterrupt, SystemExit) as ended:
        # Typer makes this status of a KeyboardInterrupt.
        if isinstance(ended, SystemExit) and ended.code != INTERRUPTED:
            raise
        errors.print()  # the terminal shows ^C
        interrupted()
        sys.exit(INTERRUPTED)
    except Exception as error:
        problem = explain(error)
        if problem is None:
            raise
        lines = [problem.cause]
        if problem.log_tail:
            lines += ["", f"From {problem.log}:", problem.log_tail]
        _show("\n".join([*lines, "", problem.way_out]))
        sys.exit(problem.status)


def explain(error: Exception) -> Problem | None:
    """Return what the user can do about an exception; None if it is a bug."""
    names = {f"{each.__module__}.{each.__qualname__}" for each in type(error).__mro__}
    match error:
        case Problem():
            return error
        case ServiceUnavailable():
            return _no_answer(str(error))
        case FlashsaleError():
            return Problem(
                str(error), "See `flashsale status`. `flashsale up` starts the local stack."
            )
    if names & _NO_ANSWER:
        return _no_answer(str(error))
    if names & _AWS:
        return Problem(
            str(error),
            "This answer comes from AWS or from the emulator. Check the credentials and the region "
            "of this shell (AWS_PROFILE, AWS_DEFAULT_REGION), and the user's permissions.",
        )
    return None


def _no_answer(detail: str) -> Problem:
    return AccessRefused(detail) if _REFUSED.search(detail) else StackDown(detail)


def _show(problem: str) -> None:
    # A Text, because untrusted input may look like rich's markup.
    errors.print(Panel(Text(problem), title="Problem", style="red"))
