"""Finds the highest rate at which an edge without application logic keeps up."""

import itertools
import json
from collections.abc import Iterator

from flashsale_local.clouds.endpoint import Endpoint
from flashsale_local.sale.answers import AnswerKind
from loadtest.client import constant_rate

STEPS = (100, 150, 200, 300, 400, 600, 800, 1000, 1300, 1700, 2200, 3000, 4000)
STEP_SECONDS = 1.5
# An edge keeps up while nearly all answers arrive within this time (seconds).
IN_TIME = 0.1
ENOUGH = 0.97

# The spike peaks at this share of that rate, because a claim and its order cost more than an echo.
# It never exceeds the original's rate.
SHARE = 0.6
ORIGINAL_PEAK = 1000.0


async def sustained_rate(endpoint: Endpoint, path: str) -> float:
    """Return the requests per second of the last step at which the server kept up."""
    best = STEPS[0] / 2
    for rate in STEPS:
        load = await constant_rate(endpoint, path, _bodies(), rate, STEP_SECONDS)
        fine = (AnswerKind.FAILED, AnswerKind.THROTTLED)
        in_time = sum(s.seconds < IN_TIME and s.kind not in fine for s in load.samples)
        if in_time < ENOUGH * rate * STEP_SECONDS:
            break
        best = rate
    return best


def peak(sustained: float) -> float:
    """Return the spike's highest rate on this machine."""
    return min(ORIGINAL_PEAK, SHARE * sustained)


def _bodies() -> Iterator[str]:
    return itertools.repeat(json.dumps({"productId": "p-01", "userId": "u-00001"}))
