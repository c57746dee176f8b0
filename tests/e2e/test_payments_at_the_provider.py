"""A buyer pays at the fake provider, whose webhook confirms the order, on deployed functions."""

from decimal import Decimal

import psycopg
import pytest

from tests.e2e.conftest import body, sweep_now
from tests.helpers.support import eventually

PRICE = Decimal("7.50")


@pytest.fixture
async def product(deployed, new_product):
    product_id = await new_product(10)
    with psycopg.connect(deployed.database_url, autocommit=True) as connection:
        connection.execute(
            "UPDATE products SET hold_seconds = 600, price = %s WHERE id = %s", [PRICE, product_id]
        )
    return product_id


@pytest.fixture
def begun(http, product, provider):
    """Return an order that is RESERVED, and the payment that its buyer has begun."""
    order_id = http.post("/api/v5/buy", json=body(product)).json()["orderId"]
    eventually(lambda: status(http, order_id) == "RESERVED")
    answer = http.post(f"/api/v5/orders/{order_id}/payment")
    assert answer.status_code == 201, answer.text
    again = http.post(f"/api/v5/orders/{order_id}/payment")
    assert again.json()["paymentId"] == answer.json()["paymentId"]
    return order_id, answer.json()["paymentId"]


def status(http, order_id):
    return http.get(f"/api/v5/orders/{order_id}").json()["status"]


def decision(deployed, payment_id):
    with psycopg.connect(deployed.database_url) as connection:
        found = connection.execute(
            "SELECT decision, why FROM payments WHERE id = %s", [payment_id]
        ).fetchone()
    return found and tuple(found)


def end_hold(deployed, order_id, minutes):
    with psycopg.connect(deployed.database_url, autocommit=True) as connection:
        connection.execute(
            "UPDATE orders SET expires_at = now() - %s * interval '1 minute' WHERE id = %s",
            [minutes, order_id],
        )


@pytest.mark.parametrize("times", [1, 2])
def test_a_payment_confirms_its_order(deployed, http, provider, begun, times):
    order_id, payment_id = begun

    provider.pay(payment_id, times=times, out_of_order=True)

    eventually(lambda: status(http, order_id) == "CONFIRMED")
    assert decision(deployed, payment_id) == ("APPLIED", None)

    def all_taken():
        webhooks = provider.intents()[payment_id]["webhooks"]
        return [one["state"] for one in webhooks] == ["delivered"] * (times + 1)

    eventually(all_taken)


def test_a_hold_that_ends_cancels_its_payment(deployed, http, provider, begun):
    order_id, payment_id = begun
    end_hold(deployed, order_id, 2)

    def expired():
        sweep_now(deployed)
        return status(http, order_id) == "EXPIRED"

    eventually(expired)
    assert provider.intents()[payment_id]["status"] == "canceled"


def test_a_payment_whose_webhook_never_comes_is_found(deployed, http, provider, begun):
    order_id, payment_id = begun
    provider.pay(payment_id, times=0)
    end_hold(deployed, order_id, 2)

    def confirmed():
        sweep_now(deployed)
        return status(http, order_id) == "CONFIRMED"

    eventually(confirmed)
    assert decision(deployed, payment_id) == ("APPLIED", None)


@pytest.mark.parametrize("ending", ["wrong amount", "late"])
def test_a_payment_that_sells_nothing_is_refunded(deployed, http, provider, begun, ending):
    order_id, payment_id = begun
    if ending == "late":
        # The provider did not answer, so the hold ended without it.
        with psycopg.connect(deployed.database_url, autocommit=True) as connection:
            connection.execute("UPDATE orders SET attempt_id = NULL WHERE id = %s", [order_id])
        end_hold(deployed, order_id, 16)
        eventually(lambda: sweep_now(deployed) or status(http, order_id) == "EXPIRED")
    provider.pay(payment_id, amount=1 if ending == "wrong amount" else None)

    def refunded():
        sweep_now(deployed)
        return decision(deployed, payment_id) == ("REFUNDED", ending)

    eventually(refunded, 120)
    assert provider.intents()[payment_id]["refunds"] == 1
    assert status(http, order_id) == ("EXPIRED" if ending == "late" else "RESERVED")
