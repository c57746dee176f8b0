"""Many streams on one web worker: what they cost the stores, their limits, and their end."""

import asyncio
import threading
import time
import uuid

import pytest

from flashsale_server.edge.hub import MOST_OF_ADDRESS
from flashsale_server.edge.listeners import RETRY, WRITE_TIME
from loadtest.streams.files import allow_files
from tests.helpers.support import USERS
from tests.integration.held_shop import held_shop
from tests.integration.streams.conftest import Edge

WINDOW = 3.0  # seconds
# Otherwise granian would start another worker, and might miss the signal to stop it.
NO_OTHER = {"GRANIAN_RESPAWN_FAILED_WORKERS": "false"}


@pytest.fixture(autouse=True)
def _files():
    allow_files()


def address_of(number):
    return f"10.9.{number // 50}.1"


async def listen(edge, product_id, count):
    """Open many streams of a sale, and wait for the first event of each."""
    readers = [await edge.sale(product_id, address=address_of(number)) for number in range(count)]
    for reader in readers:
        await reader.event("sale")
    return readers


async def commands_about(product_id, redis):
    """Count what Redis does about one product in a while. Web workers look at the others, too."""
    end = uuid.uuid4().hex

    def count():
        named = 0
        with redis.monitor() as monitor:
            started.set()
            while end not in (command := monitor.next_command()["command"]):
                named += product_id in command
        return named

    started = threading.Event()
    counting = asyncio.create_task(asyncio.to_thread(count))
    await asyncio.to_thread(started.wait)
    await asyncio.sleep(WINDOW)  # the length of a measurement, and no wait for a condition
    redis.echo(end)
    return await counting


async def test_redis_has_no_more_to_do_for_more_listeners(edge, redis, new_product):
    product_id = await new_product(5)
    await listen(edge, product_id, 10)
    few, clients = await commands_about(product_id, redis), len(redis.client_list())
    readers = await listen(edge, product_id, 300)
    many = await commands_about(product_id, redis)

    assert few > 0, "the hub looks"
    # One more tick may fall into a window, and a sweep. A look of each listener would be hundreds.
    assert many <= few + 30
    # A sweep, or a request beside another, opens one more. Each listener's own would be 300.
    assert len(redis.client_list()) <= clients + 10, "no listener has a connection of its own"
    assert not any(reader.closed for reader in readers)


async def test_a_tick_is_one_statement_however_many_orders(edge, services, new_product):
    shop = await held_shop(services, new_product, stock=100)
    orders = [await shop.claim(user) for user in USERS[:100]]
    readers = [
        await edge.order(order.id, address=address_of(number))
        for number, order in enumerate(orders)
    ]
    for reader in readers:
        assert (await reader.event("order")).data["status"] == "PENDING"

    async def committed():
        (row,) = await shop.execute(
            "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()"
        )
        return row["xact_commit"]

    async def settled():
        """Return the transactions of all connections, which report them a second late."""
        await asyncio.sleep(1.5)
        return await committed()

    before, ticks = await settled(), edge.counted("hub_tick_seconds_count", "order")
    await asyncio.sleep(WINDOW)
    after, ticked = await settled(), edge.counted("hub_tick_seconds_count", "order")

    assert ticked - ticks >= 2, "the hub looks at the orders"
    # Looks for holds, checks of connections and these readings are about fifteen transactions. A
    # statement of each order would be a hundred in each tick.
    assert after - before <= ticked - ticks + 100


async def test_an_address_has_a_hundred_streams_and_others_go_on(edge, new_product):
    product_id = await new_product(1)
    gone = edge.counted("streams_closed_total", "sale", "gone")
    for _ in range(MOST_OF_ADDRESS):
        assert (await edge.sale(product_id, address="10.8.0.1")).status == 200

    refused = await edge.sale(product_id, address="10.8.0.1")
    other = await edge.sale(product_id, address="10.8.0.2")
    edge.readers[0].close()

    assert (refused.status, refused.headers["retry-after"]) == (503, "10")
    assert b'"code":"too_many_streams"' in refused.body
    assert edge.counted("streams_refused_total", "address") >= 1
    assert other.status == 200

    def freed():
        return edge.counted("streams_closed_total", "sale", "gone") > gone

    await edge.until(freed)
    assert (await edge.sale(product_id, address="10.8.0.1")).status == 200


async def test_clients_that_are_killed_leave_nothing_behind(edge, new_product):
    product_id = await new_product(1)
    await edge.until(lambda: edge.open_streams() == 0)
    await listen(edge, product_id, 500)
    assert edge.open_streams() == 500
    full = edge.worker().num_fds()

    edge.close()  # by a reset, as the kernel does for a killed process

    await edge.until(lambda: edge.open_streams() == 0)
    await edge.until(lambda: edge.worker().num_fds() <= full - 490)


@pytest.mark.deadline
async def test_a_client_that_stops_reading_is_dropped(stack, serve):
    program = serve("streams-flood", app="tests.integration.streams.flood:app")
    edge = Edge(stack, program)
    worker = edge.worker()
    reader = await edge.listen("/flood")
    await reader.wait(lambda: reader.events)
    before, began = worker.memory_info().rss, time.monotonic()

    reader.stop_reading()
    await edge.until(lambda: edge.counted("streams_closed_total", "sale", "slow") == 1)

    assert WRITE_TIME <= time.monotonic() - began < WRITE_TIME + 10
    await edge.until(lambda: not clients_of(worker, edge.port))
    assert worker.memory_info().rss - before < 8 * 2**20
    edge.close()


def clients_of(worker, port):
    """Return the connections of a worker to clients."""
    found = worker.net_connections("tcp")
    return [one for one in found if one.raddr and one.laddr.port == port]


@pytest.mark.deadline
@pytest.mark.parametrize("to", ["master", "worker"])
async def test_a_thousand_streams_end_when_the_server_stops(stack, serve, new_product, to):
    edge = Edge(stack, serve(f"streams-stopped-{to}", **NO_OTHER))
    readers = await listen(edge, await new_product(1), 1000)
    worker = edge.worker()

    began = time.monotonic()
    (worker if to == "worker" else edge.master()).send_signal(15)
    await asyncio.to_thread(worker.wait, 15)
    took = time.monotonic() - began

    assert took < 12, "granian would kill it after 18"
    for reader in readers:
        await reader.wait(lambda reader=reader: reader.closed)
        assert reader.events[-1].data == {"reason": "restart"}
        assert reader.retry == RETRY
    edge.close()


@pytest.mark.deadline
async def test_a_worker_stops_in_time_though_clients_do_not_read(stack, serve):
    program = serve("streams-stuck", app="tests.integration.streams.flood:app", **NO_OTHER)
    edge = Edge(stack, program)
    reader = await edge.listen("/flood")
    await reader.wait(lambda: reader.events)
    reader.stop_reading()
    worker = edge.worker()
    await edge.until(lambda: is_stuck(edge))

    began = time.monotonic()
    worker.send_signal(15)
    await asyncio.to_thread(worker.wait, 15)

    assert time.monotonic() - began < 12, "granian would kill it after 18"
    edge.close()


def is_stuck(edge):
    """Return whether the worker sends nothing more."""
    before = edge.counted("stream_events_total", "sale")
    time.sleep(0.5)
    return edge.counted("stream_events_total", "sale") == before
