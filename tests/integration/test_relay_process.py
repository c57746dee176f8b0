"""The relay process and the sweep of web workers, on a real Valkey. SQS is a list."""

import asyncio
import logging
import socket
from dataclasses import replace

import pytest
from prometheus_client import REGISTRY

from flashsale.domain.claims import Claim
from flashsale.errors import StockUnavailable
from flashsale.redis_store import relay_inbox
from flashsale.redis_store.relay_inbox import ALIVE, INBOX
from flashsale.redis_store.scripts import Keys
from flashsale.redis_store.stock import SWEEPER
from flashsale.services import Services
from flashsale.usecases.relay import ASGI_PACE, LEASE_MS, TOKEN, lead
from flashsale_server.edge.background import cancel, relay_forever, sweep_forever
from flashsale_server.edge.relay import serve_metrics
from tests.helpers.queued import Queue
from tests.helpers.support import USERS, until


@pytest.fixture
async def queue(services):
    services.order_queue = Queue()
    yield services.order_queue
    await services.redis.delete(ALIVE, INBOX, SWEEPER)


@pytest.fixture
async def apart(services, queue):
    """Services of another process, which cannot reach PostgreSQL."""
    nowhere = "postgresql://nobody@127.0.0.1:9/nothing"
    made = Services(replace(services.settings, database_url=nowhere))
    made.order_queue = queue
    yield made
    await made.close()


@pytest.fixture
async def start():
    tasks = []

    def run(coroutine):
        tasks.append(asyncio.create_task(coroutine))

    yield run
    for task in tasks:
        await cancel(task)


async def claim(services, product_id, user=USERS[0]):
    return await services.ledger.claim(Claim(product_id, user, 1), TOKEN, LEASE_MS)


async def test_a_claimer_hands_over_to_the_relay_process(services, queue, start, new_product):
    product_id = await new_product(5)
    start(relay_forever(services))
    await until(services.relay_inbox.is_served)

    assert (await claim(services, product_id)).leader
    await lead(services, product_id, ASGI_PACE)

    async def sent():
        return queue.messages

    await until(sent)

    async def free():
        return not await services.redis.exists(Keys(product_id).lease)

    await until(free)


async def test_the_relay_process_needs_no_postgresql(services, queue, apart, start, new_product):
    """Its role on AWS has no right to connect (`RelayRole` of infra/aws/container.yaml)."""
    product_id = await new_product(5)
    start(relay_forever(apart))
    await until(services.relay_inbox.is_served)
    await claim(services, product_id)
    await lead(services, product_id, ASGI_PACE)

    async def sent():
        return queue.messages

    await until(sent)
    assert "database" not in vars(apart), "no pool of connections was made"


async def test_without_a_relay_process_the_claimer_relays(services, queue, new_product):
    product_id = await new_product(5)
    await claim(services, product_id)

    await lead(services, product_id, ASGI_PACE)

    assert len(queue.messages) == 1
    assert not await services.redis.exists(INBOX)


async def test_the_next_process_takes_claims_left_by_a_dead_one(
    services, queue, start, new_product, monkeypatch
):
    product_id = await new_product(5)
    monkeypatch.setattr(relay_inbox, "ALIVE_MS", 60_000)  # a busy machine stalls
    await services.relay_inbox.announce()  # then it crashes
    await claim(services, product_id)
    await lead(services, product_id, ASGI_PACE)
    assert not queue.messages

    start(relay_forever(services))

    async def sent():
        return queue.messages

    await until(sent)


async def test_a_silent_redis_stops_neither_the_process_nor_the_buyer(
    services, queue, start, new_product, monkeypatch, caplog
):
    product_id = await new_product(5)
    take, failed = services.relay_inbox.take, []

    async def take_or_fail():
        if not failed:
            failed.append(1)
            raise StockUnavailable("Redis: gone")
        return await take()

    monkeypatch.setattr(services.relay_inbox, "take", take_or_fail)
    with caplog.at_level(logging.WARNING):
        start(relay_forever(services))
        await until(services.relay_inbox.is_served)
        await claim(services, product_id)
        await lead(services, product_id, ASGI_PACE)

        async def sent():
            return queue.messages

        await until(sent)
    assert "Redis: gone" in caplog.text


async def test_one_web_worker_sweeps_in_each_period(
    services, queue, start, new_product, monkeypatch
):
    product_id = await new_product(5)

    async def list_mine():
        return [product_id]  # a sweep of what other tests have left takes long

    monkeypatch.setattr(services.stock, "list_sales", list_mine)
    services.settings = replace(services.settings, sweep_after=1)
    counted = REGISTRY.get_sample_value("flashsale_swept_claims_total")
    await claim(services, product_id)
    await services.ledger.take_unsent(product_id, 1)  # read by a leader that crashed

    for _ in range(3):
        start(sweep_forever(services))

    async def swept():
        return any(product_id in message.body for message in queue.messages)

    await until(swept)
    assert sum(product_id in message.body for message in queue.messages) == 1

    async def is_counted():
        return REGISTRY.get_sample_value("flashsale_swept_claims_total") > counted

    await until(is_counted)


def test_a_taken_metrics_port_does_not_stop_the_relay_process(caplog):
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", 0))
        squatter.listen()

        serve_metrics({"FLASHSALE_RELAY_PORT": str(squatter.getsockname()[1])})

    assert "FLASHSALE_RELAY_PORT" in caplog.text


@pytest.mark.parametrize("port", ["no number", "99999", "-1"])
def test_an_invalid_metrics_port_does_not_stop_the_relay_process(caplog, port):
    serve_metrics({"FLASHSALE_RELAY_PORT": port})

    assert "FLASHSALE_RELAY_PORT" in caplog.text
