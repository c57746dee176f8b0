"""Who may begin the payment of an order, where buyers carry tokens."""

import pytest

from flashsale_local.fake_provider.webhooks import Receiver
from tests.helpers.fake_provider import fake_provider
from tests.integration.by_token.conftest import bearer
from tests.integration.provider_shop import provider_shop


@pytest.mark.parametrize(
    ("subject", "scope", "status"),
    [("ada", None, 201), ("bob", None, 404), ("root", "flashsale/admin", 404), (None, None, 401)],
)
async def test_only_the_owner_begins_a_payment(
    http, services, issuer, new_product, subject, scope, status
):
    shop = await provider_shop(services, new_product)
    order = await shop.reserve("ada")
    more = {"scope": scope} if scope else {}
    headers = bearer(issuer.token(sub=subject, **more)) if subject else {}

    with fake_provider(Receiver("")) as fake:
        services.provider = fake.stripe()
        answer = await http.post(f"/api/v5/orders/{order.id}/payment", headers=headers)

        assert answer.status_code == status
        assert len(fake.intents()) == (status == 201)
