"""The causes of failed messages. They are kept in Redis, because SQS has no place for them."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from redis.asyncio import Redis

# The longest time that SQS keeps a message.
KEPT = timedelta(days=14)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Failure:
    """A message that stays in its queue, and the cause for the operator.

    The failure of a V4 order is also stored under the order's id, for its status route.
    """

    message_id: str
    cause: str


class Failures:
    """The last known cause of each failed message, for `flashsale dlq peek`."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def remember(self, failures: Sequence[Failure]) -> None:
        """Store the causes. Raise nothing: the orders matter more, and the logs have the causes."""
        if not failures:
            return
        try:
            async with self._redis.pipeline(transaction=False) as pipeline:
                for failure in failures:
                    pipeline.set(_key(failure.message_id), failure.cause, ex=KEPT)
                await pipeline.execute()
        except Exception as error:  # noqa: BLE001 - see above
            logger.warning("cannot store the causes of %d failures: %s", len(failures), error)

    async def causes(self, message_ids: Sequence[str]) -> dict[str, str]:
        """Return the known causes by message id; none while Redis is unavailable."""
        if not message_ids:
            return {}
        try:
            async with self._redis.pipeline(transaction=False) as pipeline:
                for message_id in message_ids:
                    pipeline.get(_key(message_id))
                values = await pipeline.execute()
        except Exception as error:  # noqa: BLE001 - nothing depends on a cause
            logger.warning("cannot read the causes of %d failures: %s", len(message_ids), error)
            return {}
        found = zip(message_ids, values, strict=True)
        return {id_: str(value) for id_, value in found if value is not None}


def _key(message_id: str) -> str:
    return f"failure:{message_id}"
