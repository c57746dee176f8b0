"""The one sentence that the page says in large: is every unit accounted for?"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from flashsale.usecases.books import Books
from flashsale_local.live_page.figures import Figures, figures, on_postgres
from flashsale_local.live_page.reading import Reading

# Seconds after which a reading says nothing of now.
STALE = 10.0


class Mood(StrEnum):
    """The colour of a verdict: green, red, amber where something does not answer, else grey."""

    GOOD = "good"
    BAD = "bad"
    BLIND = "blind"
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
        return Verdict(Mood.BLIND, "Not seen lately", f"The last look was {age:.0f} s ago.")
    if books is None:
        return _without_books(now.down)
    if books.oversold:
        detail = f"{books.confirmed} orders are confirmed; there were {books.initial} units."
        return Verdict(Mood.BAD, f"{_units(books.oversold)} oversold", detail)
    dark, live = "PostgreSQL" in now.down, books.ledger is not None and books.imbalance == 0
    resting = rests(now, before, buying=buying)
    if not live and not resting:
        detail = (
            f"{books.stock} of {books.initial} units left. Only V5 can be judged while it sells; "
            "the others when their units rest."
        )
        return Verdict(Mood.UNKNOWN, "Selling", detail)
    detail = _sum(figures(books, rests=resting), dark=dark)
    if dark and on_postgres(books):
        return Verdict(Mood.BLIND, _silent(now.down), f"When it did: {detail}")
    return _judge_units(books, detail, blind=queued and dark)


def _without_books(down: Sequence[str]) -> Verdict:
    if not down:
        return Verdict(Mood.UNKNOWN, "Nothing to judge yet", "There is no sale yet.")
    cause = "Nobody can say where the units are. The page goes on looking."
    return Verdict(Mood.BLIND, _silent(down), cause)


def rests(now: Reading, before: Reading | None, *, buying: bool) -> bool:
    """Whether no unit moved between two readings, and none is about to."""
    return not buying and before is not None and _state(before.books) == _state(now.books)


def _judge_units(books: Books, detail: str, *, blind: bool) -> Verdict:
    if books.lost and blind and books.ledger is None:
        # V4's orders between the last look and the outage are in no queue any more.
        detail += " PostgreSQL's last orders were not seen."
        return Verdict(Mood.BLIND, "Not known without PostgreSQL", detail)
    if books.lost:
        detail = f"Taken from the stock, and in no order: {_units(books.lost)}. {detail}"
        return Verdict(Mood.BAD, f"{_units(books.lost)} lost", detail)
    if books.imbalance < 0:
        return Verdict(Mood.BAD, f"{_units(-books.imbalance)} sold and still in stock", detail)
    if books.parked:
        detail += " Nobody works on what is parked: see flashsale dlq peek parking."
        return Verdict(Mood.UNKNOWN, f"{_units(books.parked)} parked", detail)
    return Verdict(Mood.GOOD, "Every unit is accounted for", detail)


def _state(books: Books | None) -> tuple[object, ...]:
    if books is None:
        return ()
    waiting = books.unsettled, books.parked
    return books.product_id, books.stock, *waiting, books.confirmed, books.cancelled


def _sum(units: Figures, *, dark: bool) -> str:
    found = units.stock + units.on_the_way + units.parked + units.confirmed
    parked = f"+ {units.parked} parked " if units.parked else ""
    text = (
        f"{units.initial} units {'=' if found == units.initial else '≠'} {units.stock} in stock "
        f"+ {units.on_the_way} on the way {parked}+ {units.confirmed} confirmed."
    )
    if dark:
        text += " PostgreSQL is down: its figure is the last known."
    return text


def _silent(down: Sequence[str]) -> str:
    return f"{' and '.join(down)} {'does' if len(down) == 1 else 'do'} not answer"


def _units(count: int) -> str:
    return f"{count} unit" if count == 1 else f"{count} units"
