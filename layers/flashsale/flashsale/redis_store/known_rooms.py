"""The products that a waiting room guards, so that a process refuses a flood without Redis."""

from collections.abc import Callable

from flashsale import clocks
from flashsale.domain.claims import Claim
from flashsale.domain.model import Refusal
from flashsale.domain.rooms import AdmissionCheck, Admissions

# Seconds for which an answer of Redis holds.
KNOWN_FOR = 1.0
# Products that are remembered. Only products on sale have rooms, so there are few of them.
MOST = 1000

_REFUSALS = {
    AdmissionCheck.OVER: Refusal.ADMISSION_OVER,
    AdmissionCheck.REQUIRED: Refusal.ADMISSION_REQUIRED,
}


class KnownRooms:
    """Refuses claims without an admission for a second after Redis named the room of the product.

    It never accepts a claim: claim.lua decides. Each process has one.

    Args:
        admissions: checks them; None where no secret is set, and then Redis is asked each time.
        now: the clocks.

    """

    def __init__(
        self, admissions: Admissions | None, now: Callable[[], clocks.Moment] = clocks.now
    ) -> None:
        self._admissions = admissions
        self._now = now
        self._seen: dict[str, tuple[int, clocks.Moment]] = {}

    def remember(self, product_id: str, epoch: int) -> None:
        """Note that the room of this epoch guards the product, as Redis has just said."""
        if len(self._seen) >= MOST:
            self._seen.clear()
        self._seen[product_id] = epoch, self._now()

    def refusal(self, claim: Claim) -> Refusal | None:
        """Return why Redis would refuse this claim; None if that is not known."""
        seen = self._seen.get(claim.product_id)
        if seen is None or self._admissions is None:
            return None
        epoch, then = seen
        if clocks.elapsed(then, self._now()) >= KNOWN_FOR:
            return None
        checked = self._admissions.check_admission(
            claim.admission, claim.user_id, claim.product_id, epoch
        )
        return _REFUSALS.get(checked)

    def forget(self, product_id: str) -> None:
        """Let the next claim ask Redis, because this process has opened the sale."""
        self._seen.pop(product_id, None)
