"""The command `flashsale audit`."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import typer
from rich.markup import escape

from flashsale.domain.pauses import UnrecordedPause
from flashsale.errors import DatabaseUnavailable, StockUnavailable
from flashsale.postgres_store.audit import AuditEntry
from flashsale.services import Services
from flashsale.usecases.pauses import list_unrecorded, record_pauses
from flashsale_local.cli.options import AsJson
from flashsale_local.console import console, errors, print_json, show, show_table, table
from flashsale_local.deployment.target import Target, with_services
from flashsale_local.paths import LOCAL
from flashsale_local.sale.audit import described


def audit(
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many actions at most.")] = 20,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Show who did what to which sale or order, newest first.

    An action that stays `begun` died on its way: repeat it. Pauses that were made while PostgreSQL
    was down are written to the audit first. While it is still down, only they are shown.

    Example: [bold]flashsale audit --limit 50[/]
    """
    actions, problem = with_services(Target.load(LOCAL), lambda services: _read(services, limit))
    rows = [described(one) for one in actions]
    if as_json:
        print_json({"actions": rows})
    else:
        _show(rows[:limit])
    if problem:
        show(f"{problem}. Shown are only the pauses that Redis keeps until then.", errors)
        raise typer.Exit(1)


async def _read(
    services: Services, limit: int
) -> tuple[Sequence[AuditEntry | UnrecordedPause], str]:
    """Return the newest actions, and why these are only the pauses that Redis keeps, or ""."""
    try:
        try:
            await record_pauses(services)
        except StockUnavailable as error:  # the audit itself is in PostgreSQL
            show(f"{error}. A pause that Redis keeps is not shown.", errors)
        return await services.audit.list_latest(limit), ""
    except DatabaseUnavailable as error:
        return (await list_unrecorded(services))[::-1], str(error)


def _show(rows: list[dict[str, object]]) -> None:
    if not rows:
        console.print("No action of an admin or an operator.")
        return
    made = table("Audit", "begun (UTC)", "who", "action", "on", "with", "outcome", numbers_from=6)
    for row in rows:
        begun = datetime.fromisoformat(str(row["begunAt"]))
        arguments = row["arguments"]
        assert isinstance(arguments, dict)
        cells = [
            f"{begun:%Y-%m-%d %H:%M:%S}",
            row["who"],
            row["action"],
            row["target"],
            ", ".join(f"{name}: {value}" for name, value in arguments.items()),
            row["outcome"],
        ]
        made.add_row(*(_plain(str(cell)) for cell in cells))
    show_table(made)


def _plain(text: str) -> str:
    """Return untrusted text without control characters and without markup."""
    return escape("".join(c if c.isprintable() else "?" for c in text))
