"""Orders that fail on the deployed application: rolled back, parked, redriven, or late."""

import asyncio
import os
import signal
import uuid
from collections import Counter

from flashsale.domain.messages import QueuedOrder
from flashsale_local.problems import Problem
from flashsale_local.queues import failed
from flashsale_local.sale.answers import AnswerKind
from flashsale_local.sale.load import buy_all
from flashsale_server.queues.depths import depths
from tests.e2e.conftest import VISIBILITY_TIMEOUT, drained
from tests.helpers.support import USERS, eventually, until


async def test_a_bad_order_of_ten_is_rolled_back_and_its_unit_returns_once(
    deployed, sqs, new_product, books_of, services
):
    product_id = await new_product(10, in_redis=0)  # ten units claimed
    buyers = [*USERS[:9], "nobody"]
    orders = [
        QueuedOrder(id=str(uuid.uuid4()), product_id=product_id, user_id=user, generation=4)
        for user in buyers
    ]
    entries = [
        {"Id": str(number), "MessageBody": order.model_dump_json()}
        for number, order in enumerate(orders)
    ]

    sqs.send_message_batch(QueueUrl=deployed.queues["orders"], Entries=entries)

    async def settled():
        books = await books_of(product_id)
        return books.confirmed == 9 and books.cancelled == 1 and books.redis_stock == 1

    await until(settled)
    # Sent once more, the bad order runs through the order and the rollback function again.
    sqs.send_message(QueueUrl=deployed.queues["orders"], MessageBody=orders[-1].model_dump_json())
    await drained(deployed)
    books = await books_of(product_id)
    assert (books.confirmed, books.redis_stock, books.balanced) == (9, 1, True)


async def test_poison_is_parked_with_its_cause_and_can_be_redriven(
    deployed, sqs, services, new_product, books_of
):
    sqs.purge_queue(QueueUrl=deployed.queues["parking"])  # poison of other tests
    product_id = await new_product(1, in_redis=0)  # a unit claimed
    good = QueuedOrder(id=str(uuid.uuid4()), product_id=product_id, user_id=USERS[0], generation=4)
    bodies = ["poison", good.model_dump_json()]
    entries = [{"Id": str(n), "MessageBody": body} for n, body in enumerate(bodies)]
    sqs.send_message_batch(QueueUrl=deployed.queues["orders"], Entries=entries)

    def parked():
        return deployed.cloud.peek(deployed.queues["parking"], 10)

    async def confirmed():
        return (await books_of(product_id)).confirmed == 1

    await until(confirmed)  # the poison before it blocks nothing
    (message,) = await asyncio.to_thread(eventually, parked, 120)
    again = parked()
    causes = await services.failures.causes([message.id])

    assert message.body == "poison"
    assert again == [message], "peeking changes nothing"
    assert "not an order" in causes[message.id]
    assert deployed.cloud.redrive(deployed.queues["parking"], deployed.queues["dlq"]) == 1
    eventually(lambda: not parked())
    # The rollback function fails ten more times and parks it again.
    await asyncio.to_thread(eventually, parked, 120)
    sqs.purge_queue(QueueUrl=deployed.queues["parking"])


async def test_a_redrive_says_that_it_leaves_what_the_rollback_works_on(deployed, sqs):
    dlq = deployed.queues["dlq"]

    def hide_messages(seconds):
        sqs.purge_queue(QueueUrl=dlq)
        sqs.set_queue_attributes(QueueUrl=dlq, Attributes={"VisibilityTimeout": str(seconds)})

    hide_messages(60)
    try:
        sqs.send_message(QueueUrl=dlq, MessageBody="poison")
        await asyncio.to_thread(eventually, lambda: depths(deployed.queues)["dlq"].in_flight == 1)

        said = failed.redrive(deployed, "dlq")
    finally:
        hide_messages(VISIBILITY_TIMEOUT)

    assert said.startswith("0 messages moved from dlq to orders. 1 is in flight")
    assert "try again in a minute" in said


async def test_postgres_killed_in_the_middle_of_a_v4_sale(
    deployed, stack, new_product, books_of, sqs
):
    """SIGKILL, ten seconds without PostgreSQL, and a restart. Every accepted order ends."""
    product_id = await new_product(60)
    kinds = Counter()

    async def sell(users):
        answers = await buy_all(deployed.api, 4, product_id, users, 8, lambda _: None)
        kinds.update(answer.kind for answer in answers)

    await sell(USERS[:30])
    os.kill(stack.supervisor.info()["postgres"]["pid"], signal.SIGKILL)
    outage = asyncio.create_task(asyncio.sleep(10))
    await sell(USERS[30:60])  # V4 keeps selling
    await outage
    await asyncio.to_thread(_start_postgres, stack)
    await sell(USERS[60:90])

    async def all_ended():
        if depths(deployed.queues)["parking"].total:  # the rollback failed ten times; retry it
            deployed.cloud.redrive(deployed.queues["parking"], deployed.queues["dlq"])
        books = await books_of(product_id)
        return books.confirmed + books.cancelled >= kinds[AnswerKind.ACCEPTED]

    await until(all_ended, 180)
    await drained(deployed)
    books = await books_of(product_id)
    accepted, uncertain = kinds[AnswerKind.ACCEPTED], kinds[AnswerKind.FAILED]
    assert accepted >= 60
    # The message of a push that had no answer in time may be in the queue.
    assert accepted <= books.confirmed + books.cancelled <= accepted + uncertain
    assert (books.oversold, books.lost, books.balanced) == (0, 0, True)


def _start_postgres(stack):
    def started():
        try:
            stack.start(stack.database)
        except Problem:
            return False  # children of the killed process hold the data folder a moment longer
        return True

    eventually(started)
