"""Where buyers carry tokens, each cancels their own orders only."""

import pytest

from tests.helpers.support import USERS
from tests.integration.by_token.conftest import bearer
from tests.integration.held_shop import held_shop
from tests.integration.test_v5_api import is_problem


@pytest.fixture
async def shop(services, new_product):
    return await held_shop(services, new_product)


@pytest.mark.parametrize("state", ["PENDING", "RESERVED"])
async def test_only_its_buyer_cancels_an_order(shop, http, issuer, state):
    order = await (shop.reserve() if state == "RESERVED" else shop.claim())
    path = f"/api/v5/orders/{order.id}/cancel"
    admin = issuer.token(USERS[1], scope="flashsale/admin")

    assert is_problem(await http.post(path), 401, "unauthorized")
    for other in (issuer.token(USERS[1]), admin):
        assert is_problem(await http.post(path, headers=bearer(other)), 404, "not_found")
    mine = await http.post(path, headers=bearer(issuer.token(USERS[0])))

    assert mine.status_code == (200 if state == "RESERVED" else 409)
    assert await shop.where() == ((10, 0, 0, 0) if state == "RESERVED" else (9, 1, 0, 0))
