"""The page of one payment, to which a shop leads its buyer: what they may do, and what happened."""

from collections.abc import Iterable
from html import escape
from urllib.parse import quote

from starlette.responses import HTMLResponse

from flashsale.domain.amounts import from_minor
from flashsale_local.fake_provider.actions import SECONDS, Action
from flashsale_local.fake_provider.intents import Intent
from flashsale_local.plain_page import plain_page

TITLE = "pay at the fake provider"
# The label of each button, and what it does.
CHOICES = {
    Action.PAY: ("Pay", "The payment succeeds, and the shop hears of it at once."),
    Action.DECLINE: ("Decline", "The card is declined. You can try again while the hold lasts."),
    Action.LATE: (
        "Pay late",
        (
            f"The payment is in progress for {SECONDS} s, and then succeeds. If the hold has ended "
            "by then, the shop refunds it."
        ),
    ),
    Action.TWICE: ("Pay twice", "Two payments of one order succeed. The shop refunds one of them."),
    Action.WRONG: (
        "Wrong amount",
        (
            "The shop receives another amount than it asked for. It refunds that, and the order is "
            "not paid by it."
        ),
    ),
    Action.SLOW: (
        f"Webhook in {SECONDS} s",
        (
            f"The payment succeeds now, and the shop hears of it in {SECONDS} s. If the hold ends "
            "before, the shop asks the provider, and confirms the order."
        ),
    ),
}
_BODY = """\
<p>No money moves here.</p>
<dl>
<dt>Amount</dt><dd>{amount}</dd>
<dt>Order</dt><dd>{order}</dd>
<dt>Payment</dt><dd>{id}</dd>
</dl>
<h2>What happened</h2>
<div role="status" class="happened">{happened}</div>
{choices}
<p>{links}</p>
"""
_CHOICE = """\
<form class="choice" method="post" action="pay">
<input type="hidden" name="payment" value="{id}">
<input type="hidden" name="return" value="{back}">
<button name="action" value="{action}" aria-describedby="{action}">{label}</button>
<span id="{action}">{text}</span>
</form>"""


def payment_page(intent: Intent, others: Iterable[Intent], back: str) -> HTMLResponse:
    """Return the page of a payment.

    Args:
        others: further payments of the same order.
        back: where the shop's page is; "" for no link.

    """
    again = f"?payment={intent.id}"
    links = [f'<a href="pay{_query(again, back)}">See what has changed</a>']
    links += [f'<a href="{escape(back)}">Back to the shop</a>'] if back else []
    happened = [*_happened(intent), *(f"Another payment of it: {_link(one)}" for one in others)]
    body = _BODY.format(
        amount=_money(intent.amount, intent),
        order=escape(intent.metadata.get("order_id", "–")),
        id=intent.id,
        happened="".join(f"<p>{line}</p>" for line in happened),
        choices=_choices(intent, back) if intent.payable else "",
        links=" · ".join(links),
    )
    return plain_page(TITLE, body)


def unknown_payment() -> HTMLResponse:
    """Return the page of a payment that does not exist."""
    text = "<p>There is no such payment. The fake provider forgets them when it stops.</p>"
    return plain_page(TITLE, text, 404)


def _choices(intent: Intent, back: str) -> str:
    forms = (
        _CHOICE.format(id=intent.id, back=escape(back), action=action, label=label, text=text)
        for action, (label, text) in CHOICES.items()
    )
    return "<h2>What to do</h2>\n" + "\n".join(forms)


def _happened(intent: Intent) -> list[str]:
    if intent.status == "canceled":
        return ["The shop has cancelled this payment, so nobody can make it."]
    if intent.status == "processing":
        return ["The payment is in progress. Nobody can cancel it now. It will succeed soon."]
    if intent.status != "succeeded":
        error = intent.last_payment_error
        return [f"Declined: {error['message']} Nothing was paid." if error else "Not paid yet."]
    lines = [f"Paid: {_money(intent.amount_received, intent)}."]
    lines += {
        "waiting": ["The shop has not heard of it yet."],
        "delivered": ["The shop has heard of it."],
        "given up": ["The shop did not take the news, so the provider gave up."],
    }.get(intent.webhooks[-1].state if intent.webhooks else "", [])
    return [*lines, "The shop has refunded it."] if intent.refunds else lines


def _money(units: int, intent: Intent) -> str:
    currency = intent.currency.upper()
    return escape(f"{from_minor(units, currency)} {currency}")


def _link(intent: Intent) -> str:
    state = "refunded" if intent.refunds else intent.status
    return f'<a href="pay?payment={intent.id}">{intent.id}</a>, {state}.'


def _query(again: str, back: str) -> str:
    return escape(f"{again}&return={quote(back, safe='')}" if back else again)
