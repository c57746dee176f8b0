"""Sends calls of a script over one connection, packed before, so that the client is no limit."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from redis import Redis

from flashsale.chunks import chunks
from flashsale.redis_store.scripts import LUA

# Calls in each round trip.
AT_ONCE = 16

Argument = str | int


@dataclass(frozen=True, slots=True)
class Sent:
    """Calls that were answered.

    Attributes:
        in_server: the seconds that Redis counts for them.
        answers: the first part of each answer.

    """

    calls: int
    seconds: float
    in_server: float
    answers: list[int]

    @property
    def rate(self) -> float:
        """Calls per second."""
        return self.calls / self.seconds

    @property
    def cost(self) -> float:
        """The µs of a call in the server."""
        return self.in_server / self.calls * 1e6


class Sender:
    """One connection to Redis, and one script."""

    def __init__(self, redis: Redis, script: str) -> None:
        self._redis = redis
        self._connection: Any = redis.connection_pool.get_connection()
        self._sha = redis.script_load((LUA / f"{script}.lua").read_text())

    def send(self, keys: Sequence[str], arguments: Iterable[Sequence[Argument]]) -> Sent:
        """Call the script with each of these arguments, and wait for all answers."""
        start = "EVALSHA", self._sha, len(keys), *keys
        calls = [(*start, *one) for one in arguments]
        packed = [
            (len(some), self._connection.pack_commands(some)) for some in chunks(calls, AT_ONCE)
        ]
        answers: list[int] = []
        before, began = self._in_server(), time.perf_counter()
        for count, some in packed:
            self._connection.send_packed_command(some)
            answers += [self._connection.read_response()[0] for _ in range(count)]
        seconds = time.perf_counter() - began
        return Sent(len(calls), seconds, self._in_server() - before, answers)

    def _in_server(self) -> float:
        """Return the seconds that Redis has spent in EVALSHA so far."""
        commands = self._redis.info("commandstats")
        return float(commands.get("cmdstat_evalsha", {"usec": 0})["usec"]) / 1e6
