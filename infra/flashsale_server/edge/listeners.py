"""One live stream: what it still has to send, and when it ends."""

import asyncio
import json
import random
from itertools import product

from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event

from flashsale_server.edge.stream_metrics import CLOSED, EVENTS_OF, ROUTES
from flashsale_server.edge.topics import Topic

# Seconds of a stream, so that clients spread over workers anew; and the part by which it varies.
LIFE, VARIES = 300.0, 0.2
# Seconds without anything to send after which a comment is sent. Proxies close silent connections.
BEAT = 10.0
# Seconds that one write may take. A client that stops reading keeps memory of this process.
WRITE_TIME = 10.0
# Milliseconds after which a client comes back.
RETRY = 3000

# Why a stream ends: what clients are told, and of these, which of them should come back.
FINAL, RESTART, AGED, NEWER, TOKEN = "final", "restart", "life", "newer", "token"
COME_BACK = frozenset({RESTART, AGED})
# Why it ends without a word.
GONE, SLOW = "gone", "slow"

for kind, reason in product(ROUTES, (FINAL, RESTART, AGED, NEWER, TOKEN, GONE, SLOW)):
    CLOSED.labels(kind, reason)  # so that a series begins at zero


class Listener:
    """A stream that waits for states. It sends the newest ones, and so skips what came between.

    Args:
        kind: what it is about, for metrics.
        address: of its client, as limits count it; "" if it is unknown.
        peer: host and port at the other end of its connection.
        until: when its token expires, in seconds of the clock of the event loop.

    Attributes:
        reason: why it ends; "" while it goes on.

    """

    __slots__ = (
        "_beat_at", "_ends_at", "_seen", "_until", "_wake", "_writing_since", "address", "key",
        "kind", "peer", "reason",
    )  # fmt: skip

    def __init__(self, kind: str, address: str, peer: tuple[str, str], until: float) -> None:
        now = _now()
        self.kind, self.address, self.peer, self._until = kind, address, peer, until
        self.key: object = None
        self.reason = ""
        self._seen: dict[Topic, int] = {}
        self._wake = asyncio.Event()
        self._writing_since: float | None = None
        self._beat_at = now + BEAT
        # So that streams which began together do not end together.
        self._ends_at = now + LIFE * random.uniform(1 - VARIES, 1 + VARIES)  # noqa: S311

    @property
    def topics(self) -> list[Topic]:
        """What it follows."""
        return list(self._seen)

    def follow(self, *topics: Topic) -> None:
        """Send the states of these topics from now on."""
        for topic in topics:
            self._seen[topic] = 0
            topic.listeners.add(self)

    def wake(self) -> None:
        """Let it look for what to send."""
        self._wake.set()

    def end(self, reason: str) -> None:
        """Let it send what is new, and end."""
        self.reason = self.reason or reason
        self.wake()

    def check(self, now: float) -> bool:
        """Do what its time demands; return False if its client does not read."""
        if self._writing_since is not None:
            if now - self._writing_since >= WRITE_TIME:
                self.reason = SLOW
                return False
        elif now >= self._until:
            self.end(TOKEN)
        elif now >= self._ends_at:
            self.end(AGED)
        elif now >= self._beat_at:
            self.wake()
        return True

    async def next(self) -> bytes:
        """Return what is to be sent now; wait until there is something. It is b"" at the end."""
        self._writing_since, self._beat_at = None, _now() + BEAT
        while self.reason not in (GONE, SLOW):
            self._wake.clear()
            frames = self._new()
            if not frames and not self.reason and _now() >= self._beat_at:
                frames = KEEPALIVE_COMMENT
            if frames or self.reason:
                self._writing_since = _now()
                return frames
            await self._wake.wait()
        return b""

    def _new(self) -> bytes:
        frames = b""
        for topic, seen in self._seen.items():
            if seen != topic.version:
                self._seen[topic] = topic.version
                frames += topic.frames
                EVENTS_OF[topic.kind].inc()
                if topic.final:
                    self.end(FINAL)
        return frames

    def goodbye(self) -> bytes:
        """Return the last event."""
        if self.reason in (GONE, SLOW):
            return b""
        retry = RETRY if self.reason in COME_BACK else None
        said = json.dumps({"reason": self.reason}, separators=(",", ":"))
        return format_sse_event(event="end", data_str=said, retry=retry)


def _now() -> float:
    return asyncio.get_running_loop().time()
