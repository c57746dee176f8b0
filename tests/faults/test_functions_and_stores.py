"""The order function, the queue, the emulator and the stores fail in the middle of a sale."""

import asyncio
import random
import time

import boto3
import pytest
from redis import Redis

from flashsale.domain.messages import Envelope, QueuedOrder
from flashsale_server.queues.depths import depth
from tests.faults.clocks import clock_of
from tests.helpers.proxy import Fault, When, kill_client
from tests.helpers.support import USERS, eventually, sync_each_write

OUTAGE = 15.0  # seconds without PostgreSQL
PATIENCE = 6  # seconds; the start of a function takes less, even on a busy machine


@pytest.mark.parametrize("when", When, ids=["before the commit", "between commit and settle"])
async def test_the_order_function_dies(shop, services, new_product, when):
    # Only two deaths, because five of the same orders would rightly roll them back. And the
    # messages must stay hidden until a restarted function works.
    shop.hide_messages(PATIENCE)
    product_id = await new_product(60)
    batch = product_id.encode()  # its statement inserts the orders and commits
    fault = shop.proxies["functions.postgres"].fault = Fault(batch, when, kill_client, times=2)

    sold = await shop.sell(product_id, USERS[:40])
    sold += await shop.sell(product_id, USERS[40:80], edge="lambda")

    await shop.keeps_its_guarantees(services, product_id, sold)
    assert fault.struck == 2


async def test_the_answer_to_a_commit_is_lost(shop, services, new_product):
    """The function survives, and does not know whether its orders exist."""
    product_id = await new_product(60)
    batch = product_id.encode()
    fault = shop.proxies["functions.postgres"].fault = Fault(batch, When.AFTER, times=3)

    sold = await shop.sell(product_id, USERS[:80])

    await shop.keeps_its_guarantees(services, product_id, sold)
    assert fault.struck == 3


async def test_the_connection_is_cut_before_a_settle(shop, services, new_product):
    product_id = await new_product(60)
    fault = shop.proxies["functions.redis"].fault = Fault(b"EVALSHA", When.BEFORE, times=5)

    sold = await shop.sell(product_id, USERS[:80])

    await shop.keeps_its_guarantees(services, product_id, sold)
    assert fault.struck == 5


async def test_the_whole_queue_is_purged(shop, services, new_product):
    product_id = await new_product(60)
    shop.mapping(on=False)
    sold = await shop.sell(product_id, USERS[:40])
    queue = shop.target.queues["orders"]
    await asyncio.to_thread(eventually, lambda: depth(queue).total)

    boto3.client("sqs").purge_queue(QueueUrl=queue)

    assert await services.ledger.count(product_id) == len(sold.order_ids)
    shop.mapping(on=True)
    sold += await shop.sell(product_id, USERS[40:80])
    await shop.keeps_its_guarantees(services, product_id, sold)


async def test_the_emulator_is_killed_and_restarted(shop, services, new_product):
    product_id = await new_product(60)
    sold = await shop.sell(product_id, USERS[:20])
    shop.kill(shop.stack.emulator)

    sold += await shop.sell(product_id, USERS[20:60])  # the ASGI edge keeps selling
    assert await services.ledger.count(product_id) > 0
    shop.stack.start(shop.stack.emulator)
    await asyncio.to_thread(shop.deploy)  # ministack lost everything, as if a region were lost

    sold += await shop.sell(product_id, USERS[60:80], edge="lambda")
    await shop.keeps_its_guarantees(services, product_id, sold)


async def test_postgresql_is_killed_for_15_seconds(shop, services, new_product):
    product_id = await new_product(120)
    sold = await shop.sell(product_id, USERS[:30])
    shop.kill(shop.stack.database)
    outage = asyncio.create_task(asyncio.sleep(OUTAGE))

    sold += await shop.sell(product_id, USERS[30:80])
    assert not sold.unanswered, "V5 claims without PostgreSQL"
    await outage
    await asyncio.to_thread(shop.stack.start, shop.stack.database)
    sold += await shop.sell(product_id, USERS[80:150])

    await shop.keeps_its_guarantees(services, product_id, sold, cancels=True)


async def test_valkey_is_killed_and_restarted(shop, services, new_product):
    product_id = await new_product(120)
    await sync_each_write(services.redis)
    sold = await shop.sell(product_id, USERS[:30])
    selling = asyncio.create_task(shop.sell(product_id, USERS[30:80]))
    await asyncio.sleep(0.1)
    shop.kill(shop.stack.redis)
    await asyncio.to_thread(shop.stack.start, shop.stack.redis)
    sold += await selling
    sold += await shop.sell(product_id, USERS[80:150])

    await shop.keeps_its_guarantees(services, product_id, sold)


async def test_redis_is_wiped_and_the_sale_rebuilt(shop, services, new_product):
    product_id = await new_product(60)
    before = await shop.sell(product_id, USERS[:20])
    await shop.recovered(services, product_id)  # so that nothing exists in Redis only

    await services.redis.flushall()
    meanwhile = await shop.sell(product_id, USERS[20:30])
    done = await asyncio.to_thread(shop.command, "rebuild", product_id)

    assert done.returncode == 0, done.stdout + done.stderr
    assert not meanwhile.order_ids, "a sale that Redis lost is closed"
    after = await shop.sell(product_id, USERS[30:90])
    books = await shop.recovered(services, product_id)
    assert (books.confirmed, books.redis_stock) == (60, 0)
    assert (books.oversold, books.lost, books.balanced) == (0, 0, True)
    for order_id in before.order_ids + after.order_ids:
        assert await services.orders.get(order_id), order_id


async def test_messages_are_repeated_late_and_out_of_order(shop, services, new_product):
    product_id = await new_product(60)
    dice, sqs = random.Random(3), boto3.client("sqs")
    shop.mapping(on=False)
    sold = await shop.sell(product_id, USERS[:80])
    entries = await services.redis.xrange(f"{{{product_id}}}:ledger")
    orders = [
        QueuedOrder.of_claim(product_id, id_, fields["u"], int(fields["q"]), fields["c"])
        for id_, fields in entries
    ]

    for _ in range(20):
        chunk = dice.sample(orders, dice.randint(1, len(orders)))
        sqs.send_message(
            QueueUrl=shop.target.queues["orders"],
            MessageBody=Envelope.of(chunk).model_dump_json(),
            DelaySeconds=dice.randint(0, 4),
        )
    shop.mapping(on=True)

    await shop.keeps_its_guarantees(services, product_id, sold)


async def test_all_faults_in_one_sale(shop, services, new_product):
    """PostgreSQL, a relay, an order function and Valkey fail while a bad order is rolled back."""
    product_id = await new_product(150)
    await sync_each_write(services.redis)
    batch = product_id.encode()
    shop.proxies["functions.postgres"].fault = Fault(batch, When.AFTER, kill_client, times=2)
    shop.proxies["relay.sqs"].fault = Fault(b"SendMessageBatch", When.AFTER, kill_client)
    sold = await shop.sell(product_id, USERS[:40])
    shop.kill(shop.stack.database)
    sold += await shop.sell(product_id, USERS[40:80])
    shop.kill(shop.stack.redis)
    await asyncio.to_thread(shop.stack.start, shop.stack.redis)
    sold += await shop.sell(product_id, USERS[80:120])
    await asyncio.to_thread(shop.stack.start, shop.stack.database)
    sold += await shop.sell(product_id, USERS[120:180])

    await shop.keeps_its_guarantees(services, product_id, sold, cancels=True)


class TestClockSteps:
    """The clock of Valkey, which measures idle claims and leases, jumps by a minute."""

    @pytest.fixture
    def clock(self, shop):
        with clock_of(shop.stack, shop.stack.redis) as file:
            yield file

    @staticmethod
    def await_offset(shop, offset):
        with Redis.from_url(shop.target.redis_url) as redis:
            eventually(lambda: round(redis.time()[0] - time.time()) in (offset, offset - 1))

    @pytest.mark.parametrize("steps", [["+60"], ["-60", "+0"], ["+60", "-60", "+60"]], ids=str)
    async def test_the_clock_jumps(self, shop, services, new_product, clock, steps):
        product_id = await new_product(100)
        shop.mapping(on=False)  # so that there are unsettled claims when the clock jumps
        sold = await shop.sell(product_id, USERS[:40])
        for offset in steps:
            clock.write_text(offset)
            await asyncio.to_thread(self.await_offset, shop, int(offset))
            sold += await shop.sell(product_id, USERS[40:60])
        shop.mapping(on=True)

        await shop.keeps_its_guarantees(services, product_id, sold)
