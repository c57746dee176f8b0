"""A function of Lambda in this process, whose connections to the stores can be slow or silent."""

import asyncio
import uuid

from flashsale.domain.claims import Claim
from flashsale.domain.messages import Envelope
from flashsale.runtime import process
from flashsale.usecases.books import read_books
from flashsale.usecases.relay import LEASE_MS
from flashsale_local.sale.seed import seed
from tests.helpers.queued import Queue
from tests.helpers.support import USERS, LambdaContext

# The largest batch: ten messages with as many claims as an envelope holds.
MESSAGES, CLAIMS = 10, 200


class Sqs(Queue):
    """A queue that reports no other messages."""

    async def ping(self):
        pass

    async def waiting(self, _=""):
        return 0


class Shop:
    """This process as a Lambda function, behind proxies for Redis and PostgreSQL."""

    def __init__(self, redis, postgres):
        self.redis, self.postgres = redis, postgres
        self.queue = process.services().order_queue = Sqs()

    def slow_down(self, seconds):
        self.redis.delay = self.postgres.delay = seconds

    def do(self, use_case):
        return process.run(use_case)

    def product(self, units):
        product_id = f"t-{uuid.uuid4().hex[:12]}"

        async def make(services):
            await seed(services, [], [product_id], units)
            await services.stock.open_sale(product_id, units)

        self.do(make)
        return product_id

    def claim(self, product_id, buyers):
        """Claim for these buyers, and return the messages that the relay makes of it."""

        async def claim(services):
            claims = [Claim(product_id, buyer, 1, correlation_id="c" * 36) for buyer in buyers]
            await asyncio.gather(
                *(services.ledger.claim(one, "nobody", LEASE_MS) for one in claims)
            )
            return await services.ledger.take_unsent(product_id, len(buyers))

        orders = self.do(claim)
        starts = range(0, len(orders), CLAIMS)
        return [Envelope.of(orders[at : at + CLAIMS]).model_dump_json() for at in starts]

    def books(self, product_id):
        self.slow_down(0)
        (books,) = self.do(lambda services: read_books(services, [product_id]))
        return books


def receive(handler, bodies, seconds):
    """Deliver messages. Return those to retry, and check that the function answered in time."""
    records = [{"messageId": f"m-{number}", "body": body} for number, body in enumerate(bodies)]
    context = LambdaContext(seconds)
    answer = handler({"Records": records}, context)
    assert context.get_remaining_time_in_millis() > 0, "Lambda would have stopped it"
    failed = {item["itemIdentifier"] for item in answer["batchItemFailures"]}
    return [body for number, body in enumerate(bodies) if f"m-{number}" in failed]


def receives(handler, bodies, seconds):
    """Return the number of messages left after each receive. Check that each makes progress."""
    left = [len(bodies)]
    while bodies:
        bodies = receive(handler, bodies, seconds)
        left.append(len(bodies))
        assert left[-1] < left[-2], f"no progress: {left}"
    return left[1:]


def buyers(count, *, strangers_each=0):
    """Return known buyers, with an unknown one at each `strangers_each`-th position."""
    return [
        f"stranger-{number}"
        if strangers_each and number % strangers_each == 0
        else USERS[number % len(USERS)]
        for number in range(count)
    ]
