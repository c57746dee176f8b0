"""Waiting until queues are empty."""

import time
from collections.abc import Callable, Mapping

from flashsale_server.queues.depths import depths, total


def drain(
    queues: Mapping[str, str], deadline: float, report: Callable[[int], None] = lambda _: None
) -> int:
    """Wait until the queues are empty; return the messages left after `deadline` seconds."""
    end = time.monotonic() + deadline
    while (left := total(depths(queues))) and time.monotonic() < end:
        report(left)
        time.sleep(0.1)
    return left
