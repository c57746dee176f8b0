"""Why a message failed, kept beside the queue: SQS itself carries no cause."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from redis.asyncio import Redis
from redis.exceptions import RedisError

# As long as SQS keeps a message at most.
KEPT = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Failure:
    """A message that stays in its queue, and why, for people."""

    message_id: str
    cause: str


class Failures:
    """The last cause of each failed message, for `flashsale dlq peek`. A help, not a record."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def remember(self, failures: Sequence[Failure]) -> None:
        """Keep the causes. A Redis that is down is no error here: the logs have them too."""
        try:
            async with self._redis.pipeline(transaction=False) as pipeline:
                for failure in failures:
                    pipeline.set(_key(failure.message_id), failure.cause, ex=KEPT)
                await pipeline.execute()
        except RedisError:
            return

    async def causes(self, message_ids: Sequence[str]) -> dict[str, str]:
        """The causes that are known, by message id; none while Redis is down."""
        if not message_ids:
            return {}
        try:
            async with self._redis.pipeline(transaction=False) as pipeline:
                for message_id in message_ids:
                    pipeline.get(_key(message_id))
                values = await pipeline.execute()
        except RedisError:
            return {}
        found = zip(message_ids, values, strict=True)
        return {id_: str(value) for id_, value in found if value is not None}


def _key(message_id: str) -> str:
    return f"failure:{message_id}"
