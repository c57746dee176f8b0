"""A product with a payment hold, and what may happen to its orders."""

from decimal import Decimal

from flashsale.domain.messages import Envelope
from flashsale.domain.payments import Payment
from flashsale.redis_store.scripts import Keys
from flashsale.usecases.batch import ReceivedMessage
from flashsale.usecases.books import read_books
from flashsale.usecases.cancellation import give_back
from flashsale.usecases.holds import expire_holds, pay
from flashsale.usecases.place_orders import place_orders
from tests.helpers.support import USERS
from tests.integration.v5_claims import buy

STOCK, PRICE = 10, Decimal("7.50")


class Shop:
    """One product with a payment hold, and what may happen to its orders."""

    def __init__(self, services, product_id):
        self.services, self.product_id = services, product_id

    async def execute(self, statement, *parameters):
        async with self.services.database.transaction() as connection:
            cursor = await connection.execute(statement, parameters)
            return await cursor.fetchall() if cursor.description else []

    async def hold(self, seconds):
        await self.execute(
            "UPDATE products SET hold_seconds = %s, price = %s WHERE id = %s",
            seconds, PRICE, self.product_id,
        )  # fmt: skip

    async def claim(self, user=USERS[0], units=1):
        claimed = await buy(self.services.ledger, self.product_id, user, units)
        return await self.services.ledger.get(*claimed.order_id.rsplit(":", 1))

    async def reserve(self, user=USERS[0], units=1):
        order = await self.claim(user, units)
        await self.write(order)
        return order

    async def write(self, order, function=place_orders):
        message = ReceivedMessage("m", Envelope.of([order]).model_dump_json())
        outcome = await function(self.services, [message])
        assert not outcome.failures, outcome.failures
        return outcome

    async def pay(self, order, name="pay-1", amount=None, currency="EUR"):
        amount = PRICE * order.quantity if amount is None else amount
        payment = Payment(f"{order.id}/{name}", order.id, amount, currency)
        return await pay(self.services, payment)

    async def time_passes(self, minutes=60):
        """Let all holds have ended so many minutes ago, and let PostgreSQL be asked of them."""
        await self.end_in_postgresql(minutes)
        await self.ask_now()

    async def end_in_postgresql(self, minutes=60):
        await self.execute(
            "UPDATE orders SET expires_at = now() - make_interval(mins => %s)"
            " WHERE product_id = %s AND status = 'RESERVED'", minutes, self.product_id,
        )  # fmt: skip

    async def ask_now(self):
        """Let Redis name all holds when it is asked which may have ended."""
        holds, redis = Keys(self.product_id).holds, self.services.redis
        for member in await redis.zrange(holds, 0, -1):
            await redis.zadd(holds, {member: 0})

    async def expire(self):
        return await expire_holds(self.services, [self.product_id])

    async def cancel(self, order):
        async with self.services.database.transaction() as connection:
            status = await self.services.orders.cancel_even_if_confirmed(
                connection, order.id, None, "a wish"
            )
        await give_back(self.services, order.id)
        return status

    async def lose_redis(self):
        keys = Keys(self.product_id)
        await self.services.redis.delete(
            keys.stock, keys.sale, keys.ledger, keys.buyers, keys.lease, keys.released, keys.holds
        )

    async def status(self, order):
        return (await self.services.orders.get(order.id)).status

    async def payments(self):
        """Return decision and reason of each payment, by its id."""
        rows = await self.execute(
            "SELECT id, decision, why FROM payments WHERE order_id LIKE %s", f"{self.product_id}:%"
        )
        return {row["id"]: (row["decision"], row["why"]) for row in rows}

    async def units(self):
        """Return where the units are by Redis, at one instant. Anything may change them."""
        return await self.services.ledger.snapshot(self.product_id, count_claims=True)

    async def where(self):
        """Check the laws of both stores; return the units: stock, unsettled, held, settled.

        It reads more than once, so nothing else may change the product meanwhile: see `units`.
        """
        counted, computed = [
            await self.services.ledger.snapshot(self.product_id, count_claims=exact)
            for exact in (True, False)
        ]
        assert counted == computed
        assert counted.balanced
        supply = await self.services.products.get_supply(self.product_id)
        assert supply.initial == supply.stock + supply.reserved + supply.confirmed, supply
        (books,) = await read_books(self.services, [self.product_id])
        assert books.balanced, books
        return counted.stock, counted.unsettled, counted.held, counted.settled


async def held_shop(services, new_product, stock=STOCK):
    """Put a product on sale whose buyers have ten minutes to pay."""
    shop = Shop(services, await new_product(stock))
    await shop.hold(600)
    return shop
