"""Products with and without a payment hold, and claims of them."""

import asyncio
import itertools
import time
from dataclasses import dataclass

from flashsale.chunks import chunks
from flashsale.domain.claims import Claim, Claimed
from flashsale.domain.messages import MESSAGES_PER_CALL, Envelope, QueuedOrder
from flashsale.domain.model import V5, Terms
from flashsale.services import Services
from flashsale.usecases import sales
from flashsale.usecases.batch import ReceivedMessage
from flashsale.usecases.place_orders import place_orders
from flashsale.usecases.relay import LEASE_MS, TOKEN
from flashsale_local.sale.seed import seed, user_ids

USERS = user_ids(1000)
CLAIMS_PER_ENVELOPE = 100
# Claims that wait for one round trip.
AT_ONCE = 500

Batch = list[ReceivedMessage]


@dataclass(frozen=True)
class Shop:
    """Sells new products of V5, each with a payment hold or without one."""

    services: Services

    async def put_on_sale(self, hold_seconds: int, units: int) -> str:
        """Put a new product on sale; return its id."""
        product_id = f"bench-{time.time_ns():x}"
        await seed(self.services, USERS, [product_id], units)
        terms = Terms(generation=V5, hold_seconds=hold_seconds)
        declined = await sales.open_sale(self.services, product_id, terms)
        assert declined is None
        return product_id

    async def claim(self, product_id: str, count: int) -> list[QueuedOrder]:
        """Claim one unit for each of so many buyers, and take the claims as a relay does."""
        buyers = itertools.islice(itertools.cycle(USERS), count)
        for some in chunks(list(buyers), AT_ONCE):
            claims = [Claim(product_id, user_id, 1) for user_id in some]
            answers = await asyncio.gather(
                *(self.services.ledger.claim(claim, TOKEN, LEASE_MS) for claim in claims)
            )
            assert all(isinstance(answer, Claimed) for answer in answers)
        return await self.services.ledger.take_unsent(product_id, count)

    async def write(self, batches: list[Batch]) -> None:
        """Write the orders of these batches, as the order function does."""
        for batch in batches:
            outcome = await place_orders(self.services, batch)
            assert not outcome.failures

    async def reserve(self, hold_seconds: int, count: int, units: int = 0) -> list[QueuedOrder]:
        """Sell so many units of a new product with a hold, and write the orders.

        Args:
            units: its stock, if it is larger than that.

        """
        product_id = await self.put_on_sale(hold_seconds, max(count, units))
        orders = await self.claim(product_id, count)
        await self.write(batches_of(orders))
        return orders


def batches_of(orders: list[QueuedOrder]) -> list[Batch]:
    """Pack orders of one product into envelopes, and these into batches as SQS delivers them."""
    messages = [
        ReceivedMessage(f"m-{number}", Envelope.of(some).model_dump_json())
        for number, some in enumerate(chunks(orders, CLAIMS_PER_ENVELOPE))
    ]
    return [list(some) for some in chunks(messages, MESSAGES_PER_CALL)]
