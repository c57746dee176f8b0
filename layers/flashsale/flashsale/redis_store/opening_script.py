"""The call of `open_sale.lua`: its keys and arguments."""

from collections.abc import Mapping
from datetime import datetime

from flashsale.domain.model import Supply, Terms, split_order_id
from flashsale.domain.rooms import Room
from flashsale.redis_store.scripts import Keys


def opening_call(
    units: int,
    terms: Terms,
    buyers: Mapping[str, int],
    supply: Supply,
    room: Room | None,
    *,
    again: bool,
) -> tuple[list[str], list[str | int]]:
    """Return KEYS and ARGV of open_sale.lua."""
    keys = Keys(supply.product_id)
    names = [keys.stock, keys.released, keys.sale, keys.ledger, keys.buyers, keys.holds]
    return [*names, keys.door, keys.calls, keys.inside, keys.used], [
        units,
        milliseconds(terms.starts_at),
        milliseconds(terms.ends_at),
        terms.limit_per_buyer,
        terms.generation or "",
        supply.initial,
        "again" if again else "",
        supply.generation or "",
        supply.last_entry or "",
        len(supply.returned),
        len(supply.holds),
        *_room(room),
        # The scripts that give units back name a V5 order by its ledger entry.
        *(split_order_id(order_id)[1] for order_id in supply.returned),
        *(
            part
            for hold in supply.holds
            for part in (split_order_id(hold.order_id)[1], hold.units, hold.until)
        ),
        *(part for pair in buyers.items() for part in pair),
    ]


def _room(room: Room | None) -> list[str | int]:
    if room is None:
        return [""] * 6
    return [
        room.epoch,
        str(room.terms.max_rate / 60),
        room.terms.max_inside,
        room.terms.admission_seconds * 1000,
        room.terms.call_seconds * 1000,
        room.serving,
    ]


def milliseconds(moment: datetime | None) -> str:
    """Return a moment in ms since 1970; "" for None."""
    return "" if moment is None else str(int(moment.timestamp() * 1000))
