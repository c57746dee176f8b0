"""Books of sales in all states that the live page can meet, and readings of them."""

from dataclasses import replace

from flashsale.domain.claims import Snapshot
from flashsale.usecases.books import Books
from flashsale_local.live_page.reading import Reading
from flashsale_local.live_page.verdict import judge

NEW = Books("p", (), 60, 60, 60, 0, 0)
V1 = replace(NEW, generations=(1,), redis_stock=None, postgres_stock=0, confirmed=87)
V1_HALF = replace(NEW, generations=(1,), redis_stock=None, postgres_stock=50, confirmed=30)
V3_LOST = replace(NEW, generations=(3,), redis_stock=0, confirmed=36)
V4_DARK = replace(NEW, redis_stock=0, waiting=60)
V5 = replace(
    NEW, generations=(5,), redis_stock=20, confirmed=10,
    ledger=Snapshot(20, 30, 60, 40, 10, 0, 30),
)  # fmt: skip
# Some orders are on their way, some are held until they are paid, and some were not paid in time.
HELD = replace(
    NEW, generations=(5,), redis_stock=20, confirmed=10, reserved=25, expired=4,
    ledger=Snapshot(20, 5, 60, 44, 10, 4, 5, held=25),
)  # fmt: skip


def reading_of(books, **more):
    """Return a reading of these books."""
    return Reading(1.0, books, **more)


def verdict_on(now, before, *, buying=False, queued=False, age=0.0):
    """Return the verdict on two readings."""
    return judge(replace(now, queued=queued), before, buying=buying, age=age)
