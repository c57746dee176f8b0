"""Holds wait while the queue of payments is behind, but not for ever."""

import json
from dataclasses import replace

import pytest

from flashsale.services import Services
from flashsale_local.stack.program import free_port
from tests.helpers.post_server import PostServer
from tests.helpers.support import USERS
from tests.integration.held_shop import Shop, held_shop


class Counts(PostServer):
    """An SQS that says how many messages a queue has: ready, and in flight."""

    def __init__(self):
        self.ready = self.in_flight = self.calls = 0
        super().__init__()

    def answer_to(self, _path, _headers, _body):
        self.calls += 1
        name = "ApproximateNumberOfMessages"
        counts = {name: str(self.ready), f"{name}NotVisible": str(self.in_flight)}
        return 200, {}, json.dumps({"Attributes": counts}).encode()


@pytest.fixture
def sqs(monkeypatch):
    server = Counts()
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    yield server
    server.close()


@pytest.fixture
async def watching(migrated, services, new_product):
    """Return a function that makes a shop whose expirer asks the queue at an address."""
    shop, made = await held_shop(services, new_product), []
    # Payments of earlier tests were not taken just now.
    await shop.execute("UPDATE payments SET received_at = received_at - interval '2 minutes'")

    def make(url):
        made.append(Services(replace(migrated, payments_queue_url=url and f"{url}/0/payments")))
        return Shop(made[-1], shop.product_id)

    yield make
    for one in made:
        await one.close()


@pytest.mark.parametrize("counter", ["ready", "in_flight"])
async def test_a_hold_waits_for_the_payments_in_the_queue(watching, sqs, counter):
    shop = watching(sqs.url)
    order = await shop.reserve()
    await shop.time_passes(minutes=14)
    setattr(sqs, counter, 1)
    assert (await shop.expire(), await shop.status(order)) == (0, "RESERVED")

    setattr(sqs, counter, 0)

    assert (await shop.expire(), await shop.status(order)) == (1, "EXPIRED")


@pytest.mark.parametrize(
    ("ready", "ending"), [(2, "EXPIRED"), (3, "RESERVED")], ids=["keeps-up", "behind"]
)
async def test_a_busy_queue_is_behind_if_more_waits_than_was_taken(watching, sqs, ready, ending):
    shop = watching(sqs.url)
    late, *paid = [await shop.reserve(user) for user in USERS[:3]]
    for order in paid:
        await shop.pay(order)
    await shop.time_passes(minutes=14)
    sqs.ready = ready

    await shop.expire()

    assert await shop.status(late) == ending


async def test_payments_that_were_taken_long_ago_do_not_count(watching, sqs):
    shop = watching(sqs.url)
    late, paid = [await shop.reserve(user) for user in USERS[:2]]
    await shop.pay(paid)
    await shop.execute("UPDATE payments SET received_at = now() - interval '61 seconds'")
    await shop.time_passes(minutes=14)
    sqs.ready = 1

    assert (await shop.expire(), await shop.status(late)) == (0, "RESERVED")


async def test_a_hold_waits_for_a_quarter_of_an_hour_at_most(watching, sqs):
    shop = watching(sqs.url)
    order = await shop.reserve()
    await shop.time_passes(minutes=16)
    sqs.ready = 1

    assert (await shop.expire(), await shop.status(order)) == (1, "EXPIRED")


async def test_while_sqs_is_down_a_hold_waits_as_long(watching, monkeypatch):
    gone = f"http://127.0.0.1:{free_port()}"
    monkeypatch.setenv("AWS_ENDPOINT_URL", gone)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    shop = watching(gone)
    order = await shop.reserve()
    await shop.time_passes(minutes=14)
    assert (await shop.expire(), await shop.status(order)) == (0, "RESERVED")

    await shop.time_passes(minutes=16)

    assert (await shop.expire(), await shop.status(order)) == (1, "EXPIRED")


async def test_without_a_queue_a_hold_does_not_wait(watching, sqs):
    shop = watching("")
    order = await shop.reserve()
    await shop.time_passes(minutes=2)
    sqs.ready = 1

    assert (await shop.expire(), await shop.status(order)) == (1, "EXPIRED")
    assert not sqs.calls


async def test_sqs_is_asked_only_when_a_hold_is_due(watching, sqs):
    shop = watching(sqs.url)
    await shop.reserve()

    assert await shop.expire() == 0
    assert not sqs.calls
