"""Pauses that were made while PostgreSQL was down. Redis keeps their records until it is back."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from redis.asyncio import Redis

from flashsale.domain.claims import SaleState
from flashsale.domain.pauses import UnrecordedPause
from flashsale.redis_store.return_codes import Pause
from flashsale.redis_store.scripts import Keys, Script, owned, translated_errors


class UnrecordedPauses:
    """Pauses sales, and keeps who did it and why until the audit in PostgreSQL has it.

    Every method raises StockUnavailable if Redis is unavailable.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._pause_sale = Script(redis, "pause_sale")

    async def pause(
        self,
        product_id: str,
        who: str,
        key: str,
        arguments: Mapping[str, object],
        correlation_id: str,
    ) -> Pause:
        """Stop claims and write the record, in one step. A refused pause leaves no record.

        The same `who` and `key` have one record, however often they pause.
        """
        keys = Keys(product_id)
        record = {"who": who, "key": key, "arguments": arguments, "correlation": correlation_id}
        code, *_ = await self._pause_sale(
            keys=[keys.stock, keys.sale, keys.unrecorded],
            args=[SaleState.PAUSED, "", owned(who, key), json.dumps(record)],
        )
        return Pause(code)

    async def list_of(self, product_ids: Sequence[str]) -> list[UnrecordedPause]:
        """Return the records of these products, oldest first."""
        if not product_ids:
            return []
        async with translated_errors(), self._redis.pipeline(transaction=False) as pipeline:
            for id_ in product_ids:  # on a cluster each product may be on another shard
                pipeline.hvals(Keys(id_).unrecorded)
            values = await pipeline.execute()
        found = [
            _pause(id_, value)
            for id_, of_product in zip(product_ids, values, strict=True)
            for value in of_product
        ]
        return sorted(found, key=lambda pause: pause.at)

    async def drop(self, pause: UnrecordedPause) -> None:
        """Delete a record that the audit has. Idempotent."""
        async with translated_errors():
            name = Keys(pause.product_id).unrecorded
            await self._redis.hdel(name, owned(pause.who, pause.key))


def _pause(product_id: str, value: str) -> UnrecordedPause:
    milliseconds, _, text = value.partition(" ")
    record = json.loads(text)
    return UnrecordedPause(
        product_id=product_id,
        who=record["who"],
        key=record["key"],
        arguments=record["arguments"],
        correlation_id=record["correlation"],
        at=datetime.fromtimestamp(int(milliseconds) / 1000, UTC),
    )
