"""The demo's sale with a payment hold, on the deployed application."""

from dataclasses import replace

import psycopg
import pytest

from flashsale.domain.payments import Decision
from flashsale_local.deployment.target import with_services
from flashsale_local.sale import unpaid
from flashsale_local.sale.demo import UNITS
from flashsale_local.sale.demo_tables import reasons_of_hold


@pytest.fixture(scope="module")
def target(deployed, asgi_url, provider):
    return replace(deployed, asgi_url=asgi_url)


def end_holds(target, product_id):
    """Move the ends of holds to before the grace period: that is quicker than to wait for them."""
    with psycopg.connect(target.database_url, autocommit=True) as connection:
        connection.execute(
            "UPDATE orders SET expires_at = now() - interval '6 seconds' "
            "WHERE product_id = %s AND status = 'RESERVED'",
            [product_id],
        )


@pytest.mark.parametrize(
    ("provider_runs", "late"),
    [(True, Decision.REFUNDED), (False, Decision.REFUND_DUE)],
    ids=["at the provider", "by webhooks"],
)
def test_unpaid_units_return_once_and_are_sold_again(
    target, new_product, monkeypatch, provider_runs, late
):
    monkeypatch.setattr(unpaid, "HOLD", 600)  # a busy machine needs some time to pay
    if not provider_runs:
        target = replace(target, provider_url="")

    async def hold(services):
        begun = await unpaid.begin(target, services, f"{id(new_product):x}")
        end_holds(target, begun.product_id)
        return begun, await unpaid.end(target, services, begun)

    begun, held = with_services(target, hold)

    assert held.findings == []
    assert (begun.sold_out, held.back, held.third) == (20, UNITS // 3, UNITS // 3)
    assert (held.books.confirmed, held.books.expired) == (UNITS, UNITS // 3)
    assert held.books.balanced
    assert (held.late, held.why) == (late, "late")
    assert list(reasons_of_hold(held))
