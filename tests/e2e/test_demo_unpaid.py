"""The demo's sale with a payment hold, on the deployed application."""

from dataclasses import replace

import pytest

from flashsale_local.deployment.target import with_services
from flashsale_local.sale import unpaid
from flashsale_local.sale.demo import UNITS


@pytest.fixture(scope="module")
def target(deployed, asgi_url):
    return replace(deployed, asgi_url=asgi_url)


def test_unpaid_units_return_once_and_are_sold_again(target, new_product, monkeypatch):
    monkeypatch.setattr(unpaid, "HOLD", 5)

    async def hold(services):
        begun = await unpaid.begin(target, services, f"{id(new_product):x}")
        return begun, await unpaid.end(target, services, begun)

    begun, held = with_services(target, hold)

    assert held.findings == []
    assert (begun.sold_out, held.back, held.third) == (20, UNITS // 3, UNITS // 3)
    assert (held.books.confirmed, held.books.expired) == (UNITS, UNITS // 3)
    assert held.books.balanced
    assert held.refunded == "late"
