"""Fixtures of a shop at the fake provider."""

from dataclasses import replace

import pytest

from flashsale.config import Provider
from flashsale.services import Services
from flashsale_local.fake_provider.webhooks import Receiver
from tests.helpers.fake_provider import KEY, fake_provider
from tests.helpers.post_server import PostServer
from tests.integration.provider_shop import provider_shop


@pytest.fixture(scope="module")
def fake():
    with fake_provider(Receiver("")) as fake:
        yield fake


@pytest.fixture
async def services(migrated, fake):
    services = Services(replace(migrated, provider=Provider(fake.url, KEY)))
    yield services
    await services.close()


@pytest.fixture
async def shop(services, new_product):
    shop = await provider_shop(services, new_product)
    yield shop
    # What is left would be asked for in later tests.
    await shop.execute("UPDATE payments SET decision = 'REFUNDED' WHERE decision = 'REFUND_DUE'")
    await shop.execute("UPDATE orders SET attempt_id = NULL WHERE status <> 'CONFIRMED'")
    await shop.rested()


class Broken(PostServer):
    """A provider that answers each call with 500."""

    def __init__(self):
        super().__init__()
        self.calls = 0

    def answer_to(self, *_):
        self.calls += 1
        return 500, {}, b'{"error": {"type": "api_error"}}'


@pytest.fixture
def broken():
    broken = Broken()
    yield broken
    broken.close()
