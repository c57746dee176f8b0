"""The fake provider's page: its payments, each with a button that pays it."""

from collections.abc import Iterable
from html import escape

from flashsale_local.fake_provider.intents import Intent

_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>flashsale: the fake provider</title>
<link rel="icon" href="data:,">
</head>
<body>
<h1>The fake provider</h1>
<p>No money moves here. Load the page again to see what has changed.</p>
<table>
<tr><th>payment</th><th>order</th><th>minor units</th><th>status</th><th>webhooks</th><th></th></tr>
{rows}
</table>
</body>
</html>
"""
_PAY = '<form method="post" action="fake/payment_intents/{id}/pay"><button>Pay</button></form>'


def page(intents: Iterable[Intent]) -> str:
    """Return the page, with the newest payment first."""
    return _PAGE.format(rows="\n".join(_row(one) for one in reversed(list(intents))))


def _row(intent: Intent) -> str:
    cells = [
        intent.id,
        intent.metadata.get("order_id", "–"),
        f"{intent.amount} {intent.currency.upper()}",
        "refunded" if intent.refunds else intent.status,
        ", ".join(one.state for one in intent.webhooks) or "–",
    ]
    pay = _PAY.format(id=intent.id) if intent.status == "requires_payment_method" else ""
    return f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}<td>{pay}</td></tr>"
