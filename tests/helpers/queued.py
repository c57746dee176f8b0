"""What the tests of the queue functions share: messages, books and rows."""

import uuid

from flashsale.domain.messages import QueuedOrder, orders_of_message
from flashsale.errors import PushRefused, PushUncertain, QueueUnavailable
from flashsale.usecases.batch import ReceivedMessage
from flashsale.usecases.books import read_books
from tests.helpers.support import USERS


def queued(product_id, count=1, user_id=USERS[0], quantity=1):
    orders = [
        QueuedOrder(
            id=str(uuid.uuid4()),
            product_id=product_id,
            user_id=user_id,
            quantity=quantity,
            generation=4,
        )
        for _ in range(count)
    ]
    return [ReceivedMessage(f"m-{order.id}", order.model_dump_json()) for order in orders]


async def books_of(services, product_id):
    (books,) = await read_books(services, [product_id])
    return books


async def row_of(services, message):
    order = orders_of_message(message.body)[0]
    async with services.database.transaction() as connection:
        cursor = await connection.execute("SELECT * FROM orders WHERE id = %s", [order.id])
        return await cursor.fetchone()


class Queue:
    """Keeps the messages that were sent. Sending can fail, before or after its effect."""

    def __init__(self):
        self.messages = []
        self.calls = 0
        self.refuses = False
        self.loses_answers = False
        self.is_silent = False

    async def send(self, envelopes):
        self.calls += 1
        if self.refuses:
            raise PushRefused("refused")
        for envelope in envelopes:
            body = envelope.model_dump_json()
            self.messages.append(ReceivedMessage(f"m-{len(self.messages)}", body))
        if self.loses_answers:
            raise PushUncertain("no answer")

    async def push(self, order):
        self.messages.append(ReceivedMessage(order.id, order.model_dump_json()))

    async def waiting(self, url=""):
        if self.is_silent:
            raise QueueUnavailable("no answer")
        return 0 if url else len(self.messages)

    def take(self):
        taken, self.messages = self.messages, []
        return taken
