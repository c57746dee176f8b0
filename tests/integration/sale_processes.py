"""The processes of a sale that the state machine runs, with crashes and other steps between."""

import asyncio
import math
import uuid
from dataclasses import replace
from decimal import Decimal

from hypothesis.stateful import RuleBasedStateMachine

from flashsale.domain.claims import Claim, Claimed
from flashsale.domain.model import Declined, OrderRow, Refusal, Terms
from flashsale.domain.pauses import UnrecordedPause
from flashsale.domain.payments import Payment
from flashsale.generations import v5
from flashsale.postgres_store.audit import Action
from flashsale.redis_store.scripts import Keys
from flashsale.redis_store.sold_out import SoldOut
from flashsale.services import Services
from flashsale.usecases.batch import ReceivedMessage
from flashsale.usecases.cancellation import BUYERS_WISH, cancel_reserved
from flashsale.usecases.compensate import compensate
from flashsale.usecases.holds import expire_holds, pay
from flashsale.usecases.pauses import pause_unrecorded
from flashsale.usecases.place_orders import place_orders
from flashsale.usecases.relay import Pace, lead
from flashsale_local.sale.seed import seed
from tests.helpers.support import USERS
from tests.integration.steps import Crash, Messages, Steps

AT_ONCE = Pace(linger=0, bound=math.inf)
UNITS, LIMIT, PRICE = 9, 5, 10
BUYERS = [*USERS[:3], "stranger"]
# Codes for pausing, resuming or opening a sale that is not in the right state.
NOT_NOW = (
    Declined.SALE_ENDED,
    Declined.SALE_PAUSED,
    Declined.SALE_RUNNING,
    Declined.NEEDS_REBUILD,
)


class Processes(RuleBasedStateMachine):
    """One sale of a few units to a few buyers, with a purchase limit, and its processes."""

    def __init__(self, migrated):
        super().__init__()
        self._runner = asyncio.Runner()
        self.services = Services(replace(migrated, sweep_after=0))
        self.time = 0.0
        self.services.sold_out = SoldOut(200, lambda: (self.time, self.time))
        self.queue = self.services.order_queue = Messages()
        self.product_id = f"m-{uuid.uuid4().hex[:12]}"
        self.accepted = {}  # order id -> user
        self.quantities = {}  # order id -> units
        self.answers = {}  # user, key -> request and order id
        self.tried = {}  # user, key -> requests
        self.unattended = False  # whether claims may be unsent although no process relays
        self.actions = []  # requests of admins, to be repeated
        self.restocked = 0
        self.pauses = set()  # the keys of pauses that took effect without PostgreSQL
        self.run(self._open())

    def run(self, coroutine):
        return self._runner.run(coroutine)

    async def _open(self):
        await seed(self.services, [], [self.product_id], UNITS)
        await self.execute("UPDATE products SET price = %s WHERE id = %s", [PRICE, self.product_id])
        await self.services.stock.open_sale(self.product_id, UNITS, Terms(limit_per_buyer=LIMIT))

    def act(self, action, target, events, *more):
        request = Action("boss", action.__name__, target, {}, "corr", uuid.uuid4().hex)

        async def process(services):
            assert await action(services, request, *more) in (None, *NOT_NOW)

        self.actions.append(process)
        self.run_process(process, events)

    async def pause_unrecorded(self, services, request):
        if isinstance(await pause_unrecorded(services, request), UnrecordedPause):
            self.pauses.add(request.key)

    def run_process(self, process, events):
        happenings = {
            "crash": self._crash,
            "claim": lambda: self.buy(self.services, BUYERS[1], 1, ""),
            "order": lambda: place_orders(self.services, self.messages(range(99))),
            "rollback": lambda: compensate(self.services, self.messages([0])),
            "expire": lambda: expire_holds(self.services, [self.product_id]),
            "pay": self.pay_oldest,
            "cancel": self.cancel_oldest,
        }
        services = Steps(self.services, {at: happenings[name] for at, name in events.items()})

        async def until_a_crash():
            try:
                await process(services)
            except Crash:
                self.unattended = True

        self.run(until_a_crash())

    async def _crash(self):
        raise Crash

    async def buy(self, services, user, quantity, key):
        request = (user, quantity)
        key = key and f"{key}-{self.product_id}"  # keys outlive a sale
        tried = self.tried.setdefault((user, key), set())
        others = tried - {request}
        tried.add(request)
        before = list(self.accepted)  # others may claim between this claim and its answer
        answer = await v5.buy(services, Claim(self.product_id, user, quantity, key))
        assert answer is not Refusal.KEY_REUSED or others, "an earlier request used this key"
        if not isinstance(answer, Claimed):
            return False
        if answer.order_id not in self.accepted:
            assert all(_number(answer.order_id) > _number(id_) for id_ in before)
        self.quantities.setdefault(answer.order_id, quantity)
        assert self.accepted.setdefault(answer.order_id, user) == user, "another buyer's order"
        if key:
            known = self.answers.setdefault((user, key), (request, answer.order_id))
            assert known == (request, answer.order_id), "the same key claimed twice"
        return answer.leader

    async def claim_and_relay(self, services, user, quantity, key=""):
        if await self.buy(services, user, quantity, key):
            await lead(services, self.product_id, AT_ONCE)

    def messages(self, numbers):
        bodies = self.queue.messages
        return (
            [ReceivedMessage(f"m{n}", bodies[n % len(bodies)]) for n in numbers] if bodies else []
        )

    async def pay_oldest(self):
        if self.accepted:
            await pay(self.services, self.payment(min(self.accepted), "a"))

    def payment(self, order_id, name, amount=None):
        """Make a payment of the price of the order, which has one to three units."""
        units = self.quantities.get(order_id, 1)
        return Payment(f"{order_id}/{name}", order_id, amount or Decimal(PRICE * units), "EUR")

    async def cancel_oldest(self):
        if self.accepted:
            await self.cancel_as_buyer(self.services, min(self.accepted))

    async def cancel_as_buyer(self, services, order_id):
        order = await cancel_reserved(services, order_id, self.accepted[order_id])
        if isinstance(order, OrderRow) and order.reason == BUYERS_WISH:
            released = Keys(self.product_id).released
            entry = order_id.rpartition(":")[2]
            assert await self.services.redis.sismember(released, entry), "the units are on sale"

    async def set_hold(self, seconds):
        await self.execute(
            "UPDATE products SET hold_seconds = %s WHERE id = %s", [seconds, self.product_id]
        )

    async def end_holds(self):
        """Let all holds have ended, in both stores, as time does."""
        await self.execute(
            "UPDATE orders SET expires_at = now() - interval '1 hour'"
            " WHERE product_id = %s AND status = 'RESERVED'",
            [self.product_id],
        )
        holds = Keys(self.product_id).holds
        for member in await self.services.redis.zrange(holds, 0, -1):
            await self.services.redis.zadd(holds, {member: 0})

    async def execute(self, statement, parameters):
        async with self.services.database.transaction() as connection:
            cursor = await connection.execute(statement, parameters)
            return await cursor.fetchall() if cursor.description else []

    async def rows(self):
        rows = await self.execute(
            "SELECT id, quantity, status, returned_at, amount FROM orders WHERE product_id = %s",
            [self.product_id],
        )
        return {row["id"]: row for row in rows}


def _number(order_id):
    """Return the ledger entry of an id in a form that can be compared."""
    return tuple(int(part) for part in order_id.rpartition(":")[2].split("-"))
