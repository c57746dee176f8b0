"""The command `flashsale audit`."""

import json
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.markup import escape

from flashsale.domain.pauses import UnrecordedPause
from flashsale.errors import DatabaseUnavailable, StockUnavailable
from flashsale.postgres_store.audit import AuditEntry
from flashsale.services import Services
from flashsale.usecases.pauses import list_unrecorded, record_pauses
from flashsale_local.console import console, errors, show, show_table, table
from flashsale_local.deployment.target import Target, with_services
from flashsale_local.paths import LOCAL

# The outcome of a pause that PostgreSQL does not have yet.
IN_REDIS = "in Redis"


def audit(
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many actions at most.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False,  # noqa: FBT002
) -> None:
    """Show who did what to which sale or order, newest first.

    An action that stays `begun` died on its way: repeat it. Pauses that were made while PostgreSQL
    was down are written to the audit first. While it is still down, only they are shown.

    Example: [bold]flashsale audit --limit 50[/]
    """
    entries, unrecorded, problem = with_services(Target.load(LOCAL), lambda s: _read(s, limit))
    rows = [_of_pause(pause) for pause in reversed(unrecorded)] + [_of_entry(e) for e in entries]
    if as_json:
        print(json.dumps({"actions": rows}))  # noqa: T201
    else:
        _show(rows[:limit])
    if problem:
        show(f"{problem}. Shown are only the pauses that Redis keeps until then.", errors)
        raise typer.Exit(1)


async def _read(
    services: Services, limit: int
) -> tuple[list[AuditEntry], list[UnrecordedPause], str]:
    try:
        await record_pauses(services)
    except DatabaseUnavailable as error:
        return [], await list_unrecorded(services), str(error)
    except StockUnavailable as error:  # the audit itself is in PostgreSQL
        show(f"{error}. A pause that Redis keeps is not shown.", errors)
    try:
        return await services.audit.list_latest(limit), [], ""
    except DatabaseUnavailable as error:
        return [], await list_unrecorded(services), str(error)


def _of_pause(pause: UnrecordedPause) -> dict[str, object]:
    return {
        "id": None,
        "who": pause.who,
        "action": "pause",
        "target": pause.product_id,
        "arguments": dict(pause.arguments),
        "outcome": IN_REDIS,
        "idempotencyKey": pause.key,
        "correlationId": pause.correlation_id,
        "begunAt": pause.at.isoformat(),
        "endedAt": None,
    }


def _of_entry(entry: AuditEntry) -> dict[str, object]:
    return {
        "id": entry.id,
        "who": entry.who,
        "action": entry.action,
        "target": entry.target,
        "arguments": dict(entry.arguments),
        "outcome": entry.outcome,
        "idempotencyKey": entry.idempotency_key,
        "correlationId": entry.correlation_id,
        "begunAt": entry.begun_at.astimezone(UTC).isoformat(),
        "endedAt": entry.ended_at and entry.ended_at.astimezone(UTC).isoformat(),
    }


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
