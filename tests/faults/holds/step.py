"""One step of a sale with payment holds, in a process of its own that a fault may kill.

The process gets the step and its argument on the command line, and the addresses of the stores as
its functions do: in REDIS_URL and DATABASE_URL.
"""

import asyncio
import os
import sys
from decimal import Decimal

from flashsale.config import Settings
from flashsale.domain.payments import Payment
from flashsale.services import Services
from flashsale.usecases.batch import ReceivedMessage
from flashsale.usecases.holds import expire_holds, pay
from flashsale.usecases.place_orders import place_orders


async def order(services: Services, body: str) -> None:
    """Write the orders of a message, as the order function does."""
    outcome = await place_orders(services, [ReceivedMessage("m", body)])
    assert not outcome.failures, outcome.failures


async def payment(services: Services, line: str) -> None:
    """Apply a payment, as the payment function does for each message."""
    id_, order_id, amount, currency = line.split()
    await pay(services, Payment(id_, order_id, Decimal(amount), currency))


async def expire(services: Services, product_id: str) -> None:
    """End the holds of a product, as the sweep does."""
    await expire_holds(services, [product_id])


STEPS = {"order": order, "payment": payment, "expire": expire}


async def main(step: str, argument: str) -> None:
    """Run one step."""
    services = Services(
        Settings(
            redis_url=os.environ["REDIS_URL"],
            database_url=os.environ["DATABASE_URL"],
            orders_queue_url="http://127.0.0.1:9/000000000000/orders",
            database_pool_size=1,
        )
    )
    await STEPS[step](services, argument)
    await services.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
