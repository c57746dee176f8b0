"""The one sentence that the page says in large: is every unit accounted for?"""

from dataclasses import dataclass
from enum import StrEnum

from flashsale.books import Books
from infra.monitor.reading import Reading

# Seconds after which a reading says nothing of now.
STALE = 10.0


class Mood(StrEnum):
    """The colour of a verdict."""

    GOOD = "good"
    BAD = "bad"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the books say, and the sum behind it."""

    mood: Mood
    headline: str
    detail: str


def judge(
    now: Reading, before: Reading | None, *, buying: bool, queued: bool, age: float = 0.0
) -> Verdict:
    """Read a verdict from the last two readings.

    V5 is judged at every instant, the others when their units rest: a unit that left Redis and is
    not yet written looks like a lost one. What is oversold stays oversold.

    Args:
        buying: whether this page's buyers are on their way to the product.
        queued: whether its orders go through the queue.
        age: seconds since the last reading.

    """
    books = now.books
    if age > STALE:
        return Verdict(Mood.UNKNOWN, "Not seen lately", f"The last look was {age:.0f} s ago.")
    if books is None:
        silent = " and ".join(now.down)
        cause = f"{silent} does not answer." if silent else "There is no sale yet."
        return Verdict(Mood.UNKNOWN, "Nothing to judge yet", cause)
    if books.oversold:
        detail = f"{books.confirmed} orders are confirmed; there were {books.initial} units."
        return Verdict(Mood.BAD, f"{_units(books.oversold)} oversold", detail)
    live = books.ledger is not None and books.imbalance == 0
    rests = not buying and before is not None and _figures(before.books) == _figures(books)
    if not live and not rests:
        detail = (
            f"{books.stock} of {books.initial} units left. Only V5 can be judged while it sells; "
            "the others when their units rest."
        )
        return Verdict(Mood.UNKNOWN, "Selling", detail)
    return _judge_units(books, _sum(now, books), blind=queued and "PostgreSQL" in now.down)


def _judge_units(books: Books, detail: str, *, blind: bool) -> Verdict:
    if books.lost and blind and books.ledger is None:
        # V4's orders between the last look and the outage are in no queue any more.
        detail += " PostgreSQL's last orders were not seen."
        return Verdict(Mood.UNKNOWN, "Not known without PostgreSQL", detail)
    if books.lost:
        return Verdict(Mood.BAD, f"{_units(books.lost)} lost", detail)
    if books.imbalance < 0:
        return Verdict(Mood.BAD, f"{_units(-books.imbalance)} sold and still in stock", detail)
    if books.parked:
        detail += " Nobody works on what is parked: see flashsale dlq peek parking."
        return Verdict(Mood.UNKNOWN, f"{_units(books.parked)} parked", detail)
    return Verdict(Mood.GOOD, "Every unit is accounted for", detail)


def _figures(books: Books | None) -> tuple[object, ...]:
    if books is None:
        return ()
    waiting = books.unsettled, books.parked
    return books.product_id, books.stock, *waiting, books.confirmed, books.cancelled


def _sum(now: Reading, books: Books) -> str:
    initial, confirmed = books.initial, books.confirmed
    found = books.stock + books.unsettled + books.parked + confirmed
    if books.ledger and not books.imbalance and found != initial:
        # While V5 sells, PostgreSQL is ahead of the ledger, by which it is judged.
        initial, confirmed = books.ledger.initial, books.ledger.settled
        found = initial
    parked = f"+ {books.parked} parked " if books.parked else ""
    text = (
        f"{initial} units {'=' if found == initial else '≠'} {books.stock} in stock "
        f"+ {books.unsettled} on the way {parked}+ {confirmed} confirmed."
    )
    if "PostgreSQL" in now.down:
        text += " PostgreSQL is down: its figure is the last known."
    return text


def _units(count: int) -> str:
    return f"{count} unit" if count == 1 else f"{count} units"
