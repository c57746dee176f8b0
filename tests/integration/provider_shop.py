"""A shop whose buyers pay at the fake provider, and what becomes of their payments."""

from flashsale.redis_store.stock import CANCELLER, REFUNDER
from flashsale.usecases.holds import pay
from flashsale.usecases.payment_attempts import begin_payment
from tests.integration.held_shop import STOCK, Shop


class ProviderShop(Shop):
    """A held product; `services` have a provider."""

    async def begin(self, order):
        begun = await begin_payment(self.services, order.id, order.user_id)
        assert await self.attempt(order) == begun.payment_id
        return begun.payment_id

    async def pay_as_told(self, payment):
        """Apply a payment as the function does that receives it from the webhook."""
        return await pay(self.services, payment)

    async def attempt(self, order):
        ((id_,),) = await self.values("SELECT attempt_id FROM orders WHERE id = %s", order.id)
        return id_

    async def decision(self, payment_id):
        rows = await self.values("SELECT decision, why FROM payments WHERE id = %s", payment_id)
        return rows[0] if rows else None

    async def values(self, statement, *parameters):
        return [tuple(row.values()) for row in await self.execute(statement, *parameters)]

    async def ended(self, minutes):
        """Let all holds of this product have ended some minutes ago."""
        await self.execute(
            "UPDATE orders SET expires_at = now() - %s * interval '1 minute'"
            " WHERE product_id = %s AND status = 'RESERVED'", minutes, self.product_id,
        )  # fmt: skip

    async def rested(self):
        """Let the pause after a failure be over."""
        await self.services.redis.delete(CANCELLER, REFUNDER)


async def provider_shop(services, new_product):
    """Put a product on sale whose buyers have ten minutes to pay."""
    shop = ProviderShop(services, await new_product(STOCK))
    await shop.hold(600)
    await shop.rested()
    return shop


async def refund_due(shop, fake):
    """Return a payment of a cancelled order that is to be refunded."""
    order = await shop.reserve()
    payment_id = await shop.begin(order)
    await shop.cancel(order)
    fake.pay(payment_id, times=0)
    await shop.expire()
    assert await shop.decision(payment_id) == ("REFUND_DUE", "cancelled")
    return payment_id
