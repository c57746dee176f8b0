"""Opens the sale of `flashsale shop`: one product, a waiting room, and a hold until it is paid."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from flashsale.domain.model import Terms
from flashsale.domain.rooms import Mode, RoomTerms
from flashsale.services import Services
from flashsale.usecases import sales
from flashsale_local.problems import Problem
from flashsale_local.sale.seed import seed, seed_product, user_ids

# Users u-00001 to u-00500 are for visitors. People of the crowd have higher numbers, so that no
# visitor finds that somebody else has used their place.
FOR_VISITORS = 500
# Seconds until the sale opens, and for which an order is held.
OPENS_IN, HOLD = 25, 30
# All 2,000 people are called in the first minute, where the machine is not too busy.
ROOM = RoomTerms(Mode.DRAW, max_inside=150, max_rate=2000)


@dataclass(frozen=True)
class Offer:
    """What is sold.

    Attributes:
        price: of a unit, in EUR.

    """

    name: str
    price: Decimal
    units: int


def crowd_users(people: int) -> list[str]:
    """Return the ids of so many people, none of which a visitor uses."""
    return user_ids(FOR_VISITORS + people)[FOR_VISITORS:]


async def open_shop(
    services: Services, offer: Offer, people: int, opens_in: float = OPENS_IN, hold: int = HOLD
) -> str:
    """Put a new product on sale that opens soon; return its id.

    Raises:
        Problem: the sale was not opened.

    """
    product_id = f"shop-{time.time_ns() // 1_000_000:x}"
    await seed(services, user_ids(FOR_VISITORS + people), [], 0)
    await seed_product(services, product_id, offer.name, offer.price, offer.units)
    opens_at = datetime.now(UTC) + timedelta(seconds=opens_in)
    terms = Terms(starts_at=opens_at, hold_seconds=hold, room=ROOM)
    if declined := await sales.open_sale(services, product_id, terms):
        raise Problem(f"The sale was not opened: {declined}.", "See `flashsale status`.")
    return product_id
