"""Stock in Redis. Redis decides who may claim; the rules are the scripts in `lua/`."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import IntEnum

from redis.asyncio import Redis

from flashsale.claims import SaleState
from flashsale.messages import Order
from flashsale.model import Refusal, Terms, split_order_id
from flashsale.scripts import Keys, Script, again_later, translated_errors

# The products on sale, for who must look at all of them (the sweep).
SALES = "sales"
SWEEPER = "sweeper"
# Never written: see `ping`.
PROBE = "probe"
ANYTIME = Terms()


class Decrement(IntEnum):
    """Negative answers of decrement.lua."""

    SOLD_OUT = -1
    NOT_ON_SALE = -2


class Release(IntEnum):
    """Answers of release.lua."""

    RELEASED = 1
    RELEASED_BEFORE = 0
    NOT_ON_SALE = -2


class Opening(IntEnum):
    """Answers of open_sale.lua."""

    OPENED = 1
    RUNNING = 0
    RUNNING_ON_OTHER_TERMS = -1
    PAUSED = -2
    NOT_DRAINED = -3


class Pause(IntEnum):
    """Answers of pause_sale.lua."""

    DONE = 1
    DONE_BEFORE = 0
    ENDED = -1
    NO_SALE = -2


class Resumption(IntEnum):
    """Answers of resume_sale.lua."""

    RESUMED = 1
    RUNNING = 0
    ENDED = -1
    NO_SALE = -2
    LOST = -3


class Stock:
    """The units of each product that can be claimed.

    Every method raises StockUnavailable where Redis does not answer.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._decrement = Script(redis, "decrement")
        self._release = Script(redis, "release")
        self._open_sale = Script(redis, "open_sale")
        self._pause_sale = Script(redis, "pause_sale")
        self._resume_sale = Script(redis, "resume_sale")
        self._restock = Script(redis, "restock")

    async def decrement(self, product_id: str, quantity: int = 1) -> int | Refusal:
        """Take units; returns how many remain, or why none were taken."""
        left = int(await self._decrement(keys=[Keys(product_id).stock], args=[quantity]))
        if left == Decrement.SOLD_OUT:
            return Refusal.SOLD_OUT
        if left == Decrement.NOT_ON_SALE:
            return Refusal.NO_SUCH_PRODUCT
        return left

    async def release(self, order: Order) -> Release:
        """Give the units of an order back, once however often this is called.

        Raises StockUnavailable for every error of Redis, because the order will not come to be.
        """
        keys = Keys(order.product_id)
        names = [keys.stock, keys.released, keys.sale]
        async with again_later():
            return Release(await self._release(keys=names, args=[order.id, order.quantity]))

    async def open_sale(
        self,
        product_id: str,
        units: int,
        terms: Terms = ANYTIME,
        buyers: Mapping[str, int] | None = None,
        supply: int | None = None,
        returned: Sequence[str] = (),
        *,
        again: bool = False,
    ) -> Opening:
        """Put a product on sale.

        Args:
            buyers: units that buyers have already, where a sale with a limit is opened again.
            supply: `Supply.initial`, read together with the units; these if not given.
            returned: `Supply.returned`, read together with them.
            again: the caller has drained the sale: open it also if it is paused, ended or lost.

        """
        # First, else a process that dies in between leaves a sale that no sweep and no alarm sees.
        async with translated_errors():
            await self._redis.sadd(SALES, product_id)
        keys = Keys(product_id)
        opened = await self._open_sale(
            keys=[keys.stock, keys.released, keys.sale, keys.ledger, keys.buyers],
            args=[
                units,
                _milliseconds(terms.starts_at),
                _milliseconds(terms.ends_at),
                terms.limit_per_buyer,
                units if supply is None else supply,
                "again" if again else "",
                len(returned),
                # As the scripts that give units back name an order: of V5 the ledger entry.
                *(split_order_id(order_id)[1] for order_id in returned),
                *(part for pair in (buyers or {}).items() for part in pair),
            ],
        )
        return Opening(opened)

    async def pause_to_rebuild(self, product_id: str) -> Terms | None:
        """Let nobody claim any more; returns the sale's terms, None if Redis has lost them."""
        keys = Keys(product_id)
        _, *terms = await self._pause_sale(
            keys=[keys.stock, keys.sale], args=[SaleState.PAUSED, "lost"]
        )
        known = terms[2] is not None
        return Terms(_moment(terms[0]), _moment(terms[1]), int(terms[2])) if known else None

    async def pause_sale(self, product_id: str, state: SaleState = SaleState.PAUSED) -> Pause:
        """Let nobody claim any more, for now or, with ENDED, for good."""
        keys = Keys(product_id)
        code, *_ = await self._pause_sale(keys=[keys.stock, keys.sale], args=[state, ""])
        return Pause(code)

    async def resume_sale(self, product_id: str) -> Resumption:
        """Go on with a paused sale."""
        keys = Keys(product_id)
        return Resumption(await self._resume_sale(keys=[keys.stock, keys.sale]))

    async def restock(self, product_id: str, supply: int) -> int:
        """Add what the sale does not know of yet; returns how many units, 0 where there is no sale.

        Args:
            supply: `Supply.initial`.

        """
        keys = Keys(product_id)
        added = await self._restock(keys=[keys.stock, keys.sale], args=[supply])
        return max(0, int(added))

    async def sales(self) -> list[str]:
        """Ids of the products whose sale was opened, or was to be."""
        async with translated_errors():
            return sorted(str(id_) for id_ in await self._redis.smembers(SALES))

    async def take_sweep(self, period: float) -> bool:
        """Whether the caller is the first to sweep in this period of so many seconds."""
        async with translated_errors():
            milliseconds = int(period * 900)  # less than the period, which its own timer measures
            return bool(await self._redis.set(SWEEPER, 1, nx=True, px=milliseconds))

    async def left(self, product_ids: list[str]) -> list[int | None]:
        """Units that can be claimed, in the order asked for; None where no sale was opened."""
        if not product_ids:
            return []
        # No MGET: on a cluster each product is on a shard of its own.
        async with translated_errors(), self._redis.pipeline(transaction=False) as pipeline:
            for id_ in product_ids:
                pipeline.get(Keys(id_).stock)
            values = await pipeline.execute()
        return [None if value is None else int(value) for value in values]

    async def ping(self) -> None:
        """Raise StockUnavailable unless Redis answers and takes writes.

        It checks a write for its state (disk, memory, replicas, role) before it looks at the key;
        as this key does not exist, there is nothing to write, to store or to replicate.
        """
        async with translated_errors():
            await self._redis.set(PROBE, "", xx=True)


def _moment(milliseconds: str) -> datetime | None:
    return datetime.fromtimestamp(int(milliseconds) / 1000, UTC) if milliseconds else None


def _milliseconds(moment: datetime | None) -> str:
    return "" if moment is None else str(int(moment.timestamp() * 1000))
