"""The command `flashsale payments`."""

from datetime import UTC
from typing import Annotated

import typer
from rich.markup import escape

from flashsale.domain.payments import Decision, PaymentRow
from flashsale_local.cli.options import AsJson
from flashsale_local.console import console, print_json, show_table, table, visible
from flashsale_local.deployment.target import Target, with_services
from flashsale_local.paths import LOCAL


def payments(
    due: Annotated[bool, typer.Option("--due", help="Only those that are to be refunded.")] = False,  # noqa: FBT002
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many payments at most.")] = 20,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Show payments and what becomes of them, newest first.

    A payment of an order that cannot be CONFIRMED by it is REFUND_DUE. When it was refunded at the
    provider, `flashsale refunded` records that.

    Example: [bold]flashsale payments --due[/]
    """
    decision = Decision.REFUND_DUE if due else None
    rows = with_services(
        Target.load(LOCAL), lambda services: services.payments.list_latest(decision, limit)
    )
    if as_json:
        print_json({"payments": [_described(row) for row in rows]})
    elif rows:
        _show(rows)
    else:
        console.print("No payment is to be refunded." if due else "No payment has arrived.")


def _show(rows: list[PaymentRow]) -> None:
    names = "payment", "order", "amount", "decision", "why", "received (UTC)"
    made = table("Payments", *names, numbers_from=len(names))
    for row in rows:
        cells = [
            row.id,
            row.order_id,
            f"{row.amount:,} {row.currency}",
            row.decision,
            row.why or "",
            f"{row.received_at.astimezone(UTC):%Y-%m-%d %H:%M:%S}",
        ]
        made.add_row(*(escape(visible(cell)) for cell in cells))
    show_table(made)


def _described(row: PaymentRow) -> dict[str, object]:
    """Return a payment with the names and values of the admin API."""
    return {
        "id": row.id,
        "orderId": row.order_id,
        "amount": float(row.amount),
        "currency": row.currency,
        "decision": row.decision,
        "why": row.why,
        "receivedAt": row.received_at.astimezone(UTC).isoformat(),
        "decidedAt": row.decided_at and row.decided_at.astimezone(UTC).isoformat(),
    }
