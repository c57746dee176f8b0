"""Waiting until queues are empty."""

import time
from collections.abc import Callable, Mapping

from flashsale.domain.waiting import PARKING
from flashsale_server.queues.depths import depths, total

# No function receives from these queues. Their messages wait for the operator.
FOR_OPERATOR = (PARKING, "payments-dlq")


def drain(
    queues: Mapping[str, str], deadline: float, report: Callable[[int], None] = lambda _: None
) -> int:
    """Wait until the queues are empty; return the messages left after `deadline` seconds."""
    end = time.monotonic() + deadline
    while (left := total(depths(queues))) and time.monotonic() < end:
        report(left)
        time.sleep(0.1)
    return left
