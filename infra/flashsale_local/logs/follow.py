"""Log lines as they come."""

import time
from collections.abc import Iterable, Iterator, Sequence

from flashsale_local.logs.lines import Line, read_logs

PERIOD = 1.0  # seconds
# Milliseconds. Lines of an invocation may arrive after newer ones of another.
LATE = 10_000


def follow(groups: Sequence[str], known: Iterable[Line], since: int) -> Iterator[list[Line]]:
    """Yield new lines of these log groups, again and again.

    Args:
        known: lines that were read before.
        since: milliseconds since 1970, for groups without any line.

    """
    seen = set(known)
    while True:
        newest = max((line.timestamp for line in seen), default=since)
        begin = max(since, newest - LATE)
        read = {line for group in groups for line in read_logs(group, begin)}
        yield sorted(read - seen)
        seen = {line for line in seen | read if line.timestamp >= begin}
        time.sleep(PERIOD)
