"""What all Redis adapters share: keys, scripts, and the translation of driver errors."""

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from redis.asyncio import Redis, RedisCluster
from redis.exceptions import NoScriptError

from flashsale.errors import StockUnavailable
from flashsale.redis_store.errors import is_retryable

LUA = Path(__file__).parent / "lua"

# Claims that one script call settles or releases. It takes some milliseconds, in which Redis serves
# no other client.
CLAIMS_PER_SCRIPT = 500

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one product. They share a hash tag, so a script can use all on a cluster."""

    product_id: str

    @property
    def stock(self) -> str:
        """Integer: units that can be claimed."""
        return f"{{{self.product_id}}}:stock"

    @property
    def released(self) -> str:
        """Set: ids of the orders (of V5 the ledger entries) whose units were given back."""
        return f"{{{self.product_id}}}:released"

    @property
    def ledger(self) -> str:
        """Stream: claims that are neither settled, released nor held (V5)."""
        return f"{{{self.product_id}}}:ledger"

    @property
    def holds(self) -> str:
        """Sorted set: claims whose orders are RESERVED, by when to ask PostgreSQL of them (V5)."""
        return f"{{{self.product_id}}}:holds"

    @property
    def sale(self) -> str:
        """Hash: the terms of the sale, and its counters."""
        return f"{{{self.product_id}}}:sale"

    @property
    def buyers(self) -> str:
        """Hash: units claimed, by user."""
        return f"{{{self.product_id}}}:buyers"

    @property
    def unrecorded(self) -> str:
        """Hash: the pauses that the audit in PostgreSQL does not have yet, by admin and key."""
        return f"{{{self.product_id}}}:unrecorded"

    @property
    def lease(self) -> str:
        """String: the token of the process that relays now."""
        return f"{{{self.product_id}}}:lease"

    @property
    def door(self) -> str:
        """Hash: how many a waiting room has called, and on which terms; see advance.lua."""
        return f"{{{self.product_id}}}:door"

    @property
    def calls(self) -> str:
        """Sorted set: when a waiting room called, by how many it had called then."""
        return f"{{{self.product_id}}}:calls"

    @property
    def inside(self) -> str:
        """Sorted set: users whom a waiting room let in, by until when (ms since 1970)."""
        return f"{{{self.product_id}}}:inside"

    @property
    def used(self) -> str:
        """Hash: the place with which a user was let in last, by user."""
        return f"{{{self.product_id}}}:used"

    @property
    def door_saver(self) -> str:
        """String: a process has saved the state of the waiting room a moment ago."""
        return f"{{{self.product_id}}}:door-saver"

    def rate(self, limit: str, of: str) -> str:
        """Return the key of a rate limit's bucket, of one user or one address (string)."""
        return f"{{{self.product_id}}}:rate:{limit}:{of}"

    def idempotency(self, user_id: str, key: str) -> str:
        """Return the key of the answer to an earlier request with this Idempotency-Key (string)."""
        return f"{{{self.product_id}}}:idem:{owned(user_id, key)}"


@dataclass(frozen=True, slots=True)
class QueueKeys:
    """The keys of those who joined a waiting room.

    On a cluster they are on a shard of their own, so that a storm of joins does not touch the sale.
    No product id has a tilde, so no product's keys have this tag.
    """

    product_id: str

    @property
    def places(self) -> str:
        """Hash: arrival number, by user."""
        return f"{{{self.product_id}~room}}:places"

    @property
    def room(self) -> str:
        """Hash: the terms of the room, and how many have joined; see open_room.lua."""
        return f"{{{self.product_id}~room}}:room"


def owned(user_id: str, key: str) -> str:
    """Return a name for a user's Idempotency-Key that no other user's key can have.

    The separator is a blank, because neither part may hold one. With a colon, key "b:c" of user "a"
    would be key "c" of user "a:b", and one buyer would get the other buyer's answer.
    """
    return f"{user_id} {key}"


class Script:
    """The script `lua/<name>.lua`. Its header documents keys, arguments and return values.

    Calls that arrive while others are in flight share the next round trip. So under load a claim
    costs a fraction of what it costs alone, and a process needs one connection for any number of
    buyers. A single call is sent at once.
    """

    def __init__(self, redis: Redis, name: str) -> None:
        self._redis = redis
        self._text = (LUA / f"{name}.lua").read_text()
        self._digest = hashlib.sha1(self._text.encode(), usedforsecurity=False).hexdigest()
        self._waiting: list[_Call] = []
        self._running: asyncio.Task[None] | None = None

    async def __call__(self, keys: Sequence[str], args: Sequence[str | int] = ()) -> Any:
        """Run the script, and return its result.

        Raises:
            StockUnavailable: Redis is unavailable. The script may have run nevertheless.

        """
        call = _Call((len(keys), *keys, *args), asyncio.get_running_loop().create_future())
        self._waiting.append(call)
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._run_waiting())
        try:
            return await call.answer
        except Exception as error:
            if is_retryable(error):
                raise StockUnavailable(f"Redis: {error}") from error
            raise

    async def _run_waiting(self) -> None:
        while self._waiting:
            calls, self._waiting = self._waiting, []
            try:
                answers = await self._run(calls)
            except Exception as error:  # noqa: BLE001 - each call raises it
                answers = [error] * len(calls)
            for call, answer in zip(calls, answers, strict=True):
                if call.answer.done():  # the call was cancelled
                    continue
                if isinstance(answer, Exception):
                    call.answer.set_exception(answer)
                else:
                    call.answer.set_result(answer)

    async def _run(self, calls: Sequence["_Call"]) -> list[Any]:
        answers = await self._send(calls)
        unknown = [n for n, answer in enumerate(answers) if isinstance(answer, NoScriptError)]
        if unknown:  # Redis was restarted or replaced, so these calls did not run
            await self._redis.script_load(self._text)
            again = await self._send([calls[n] for n in unknown])
            for n, answer in zip(unknown, again, strict=True):
                answers[n] = answer
        return answers

    async def _send(self, calls: Sequence["_Call"]) -> list[Any]:
        if isinstance(self._redis, RedisCluster):  # its pipelines take no scripts
            alone = (self._redis.evalsha(self._digest, *call.arguments) for call in calls)
            return await asyncio.gather(*alone, return_exceptions=True)
        async with self._redis.pipeline(transaction=False) as pipeline:
            for call in calls:
                pipeline.evalsha(self._digest, *call.arguments)
            return await pipeline.execute(raise_on_error=False)


class _Call(NamedTuple):
    arguments: tuple[Any, ...]
    answer: "asyncio.Future[Any]"


@asynccontextmanager
async def translated_errors() -> AsyncIterator[None]:
    """Raise StockUnavailable if Redis is unavailable."""
    try:
        yield
    except Exception as error:
        if is_retryable(error):
            raise StockUnavailable(f"Redis: {error}") from error
        raise


@asynccontextmanager
async def again_later() -> AsyncIterator[None]:
    """Raise StockUnavailable for every error: for a step that follows a commit in PostgreSQL.

    The order is written, so the step must be retried until it succeeds. A bug is logged.
    """
    try:
        yield
    except StockUnavailable:
        raise
    except Exception as error:
        logger.exception("Redis rejected a step that must follow a commit; it will be retried")
        raise StockUnavailable(f"Redis: {type(error).__name__}: {error}") from error
