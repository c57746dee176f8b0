"""Claims of V5 that the tests of its scripts share."""

from flashsale.domain.claims import Claim
from tests.helpers.support import USERS

TOKEN, OTHER, LEASE = "me", "somebody-else", 60_000


def claim(product_id, user=USERS[0], quantity=1, key=""):
    """Return a claim."""
    return Claim(product_id, user, quantity, key, "corr")


async def buy(ledger, *arguments, **named):
    """Make a claim and return its answer."""
    return await ledger.claim(claim(*arguments, **named), TOKEN, LEASE)
