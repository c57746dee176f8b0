"""Why a message failed, kept beside the queue: SQS itself carries no cause."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from redis.asyncio import Redis

# As long as SQS keeps a message at most.
KEPT = timedelta(days=14)

logger = logging.getLogger(__name__)


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
        """Keep the causes. Raises nothing: the orders matter more, and the logs have the causes."""
        if not failures:
            return
        try:
            async with self._redis.pipeline(transaction=False) as pipeline:
                for failure in failures:
                    pipeline.set(_key(failure.message_id), failure.cause, ex=KEPT)
                await pipeline.execute()
        except Exception as error:  # noqa: BLE001 - see above
            logger.warning("%d causes were not kept: %s", len(failures), error)

    async def causes(self, message_ids: Sequence[str]) -> dict[str, str]:
        """The causes that are known, by message id; none while Redis does not tell them."""
        if not message_ids:
            return {}
        try:
            async with self._redis.pipeline(transaction=False) as pipeline:
                for message_id in message_ids:
                    pipeline.get(_key(message_id))
                values = await pipeline.execute()
        except Exception as error:  # noqa: BLE001 - a cause is a help, not a condition
            logger.warning("%d causes are not known: %s", len(message_ids), error)
            return {}
        found = zip(message_ids, values, strict=True)
        return {id_: str(value) for id_, value in found if value is not None}


def _key(message_id: str) -> str:
    return f"failure:{message_id}"
