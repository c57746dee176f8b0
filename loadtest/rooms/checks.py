"""Measures the CPU time of checking an admission, which each purchase behind a room needs."""

import time

from flashsale.auth.room_tokens import RoomTokens
from flashsale.domain.rooms import AdmissionCheck
from loadtest.finding import Finding
from loadtest.rooms.shop import Shop

ROUNDS, CHECKS = 9, 2_000
SECRET = "the secret of a benchmark, 32 bytes or more"  # noqa: S105 - it opens nothing
BUYER, PRODUCT, EPOCH = "u-00001", "p-01", 1


async def check_admissions(_shop: Shop) -> list[Finding]:
    """Check a valid admission again and again."""
    tokens = RoomTokens([SECRET])
    until = int((time.time() + 3600) * 1000)
    admission = tokens.admission(BUYER, PRODUCT, EPOCH, until)
    costs: list[float] = []
    for _ in range(ROUNDS):
        began = time.process_time()
        for _ in range(CHECKS):
            found = tokens.check_admission(admission, BUYER, PRODUCT, EPOCH)
            assert found is AdmissionCheck.VALID
        costs.append((time.process_time() - began) / CHECKS * 1000)
    return [Finding("checking an admission, ms CPU", costs, most=0.1, digits=3)]
