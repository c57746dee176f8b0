"""`flashsale open --hold`, `cancel`, `payments` and `refunded`, on real stores."""

import json

from tests.helpers.admin_desk import audit_of
from tests.integration.held_shop import Shop, held_shop


async def test_a_hold_is_opened_and_its_order_cancelled(flashsale, services, new_product):
    shop = Shop(services, await new_product(10, on_sale=False))

    refused = flashsale("open", shop.product_id, "--hold", "600", "--generation", "4")
    opened = flashsale("open", shop.product_id, "--hold", "600")
    other = flashsale("open", shop.product_id, "--hold", "60")
    order = await shop.reserve(units=2)
    done = flashsale("cancel", order.id, "--reason", "a wish", "--yes")

    assert refused.returncode != 0
    assert "Only V5 has payment holds" in refused.stderr
    assert "Leave out --hold" in refused.stderr
    assert opened.stdout == f"{shop.product_id}: on sale with 10 units\n"
    assert "is on sale already, on other terms" in other.stdout
    assert done.stdout == f"{order.id}: RESERVED → CANCELLED, 2 of {shop.product_id}\n"
    assert await shop.where() == (10, 0, 0, 0)


async def test_payments_are_shown_and_refunded(flashsale, services, new_product):
    shop = await held_shop(services, new_product)
    order = await shop.reserve(units=2)
    paid = (await shop.pay(order)).payment_id

    early = flashsale("refunded", paid)
    flashsale("cancel", order.id, "--reason", "a wish", "--yes")
    shown = flashsale("payments", "--due", "--limit", "500")
    document = json.loads(flashsale("payments", "--due", "--limit", "500", "--json").stdout)
    recorded = flashsale("refunded", paid, "pi-unknown")
    after = json.loads(flashsale("payments", "--limit", "500", "--json").stdout)

    assert early.stdout == f"{paid}: nothing was done: the payment is not to be refunded\n"
    (line,) = [line for line in shown.stdout.splitlines() if f" {paid} " in line]
    cells = [cell.strip() for cell in line.split("│")[1:-2]]
    assert cells == [paid, order.id, "15.00 EUR", "REFUND_DUE", "cancelled"]
    (mine,) = [one for one in document["payments"] if one["id"] == paid]
    assert (mine["amount"], mine["decision"], mine["why"]) == (15.0, "REFUND_DUE", "cancelled")
    assert recorded.stdout.splitlines() == [
        f"{paid}: REFUNDED", "pi-unknown: nothing was done: there is no such payment",
    ]  # fmt: skip
    assert (early.returncode, recorded.returncode) == (1, 1)
    assert [one["decision"] for one in after["payments"] if one["id"] == paid] == ["REFUNDED"]
    newest, _ = await audit_of(services, paid)
    assert (newest.who, newest.action, newest.outcome) == ("cli ops", "refunded", "done")
