"""The fake provider's list of payments, each with a button that pays it."""

from collections.abc import Iterable
from html import escape

from starlette.responses import HTMLResponse

from flashsale_local.fake_provider.intents import Intent
from flashsale_local.plain_page import plain_page

_BODY = """\
<p>No money moves here. Load the page again to see what has changed.</p>
<table>
<tr><th>payment</th><th>order</th><th>minor units</th><th>status</th><th>webhooks</th><th></th></tr>
{rows}
</table>
"""
_LINK = '<a href="pay?payment={id}">{id}</a>'
_PAY = '<form method="post" action="fake/payment_intents/{id}/pay"><button>Pay</button></form>'


def page(intents: Iterable[Intent]) -> HTMLResponse:
    """Return the page, with the newest payment first."""
    rows = "\n".join(_row(one) for one in reversed(list(intents)))
    return plain_page("the fake provider", _BODY.format(rows=rows))


def _row(intent: Intent) -> str:
    cells = [
        escape(intent.metadata.get("order_id", "–")),
        escape(f"{intent.amount} {intent.currency.upper()}"),
        "refunded" if intent.refunds else intent.status,
        ", ".join(one.state for one in intent.webhooks) or "–",
        _PAY.format(id=intent.id) if intent.payable else "",
    ]
    return (
        f"<tr>{''.join(f'<td>{cell}</td>' for cell in [_LINK.format(id=intent.id), *cells])}</tr>"
    )
