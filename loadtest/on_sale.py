"""Puts products on sale, and makes purchases of them."""

import itertools
import json
import time
from collections.abc import Iterator

from flashsale.services import Services
from flashsale_local.deployment.target import Target, with_services
from flashsale_local.sale.seed import seed, user_ids

USERS = 3000
# Units that no load can sell out.
STOCK = 10_000_000


def put_on_sale(target: Target, prefix: str, units: int = STOCK) -> str:
    """Put a new product on sale in both stores, and return its id, which begins with `prefix`."""
    product_id = f"{prefix}-{time.time_ns():x}"

    async def prepare(services: Services) -> None:
        await seed(services, user_ids(USERS), [product_id], units)
        await services.stock.open_sale(product_id, units)

    with_services(target, prepare)
    return product_id


def purchases(product_id: str, users: int = USERS) -> Iterator[str]:
    """Yield bodies of purchases endlessly, for the seeded users in turn."""
    for user_id in itertools.cycle(user_ids(users)):
        yield json.dumps({"productId": product_id, "userId": user_id})
