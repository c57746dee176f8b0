"""The verdict that the page shows in large letters: is every unit accounted for?"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from flashsale.usecases.books import Books
from flashsale_local.live_page.figures import Figures, figures, on_postgres
from flashsale_local.live_page.reading import Reading

# Seconds after which a reading is out of date.
STALE = 10.0


class Status(StrEnum):
    """What a verdict's colour means: green, red, amber and grey, in this order."""

    GOOD = "good"
    BAD = "bad"
    NO_ANSWER = "no-answer"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the books balance, and the sum that shows it."""

    status: Status
    headline: str
    detail: str


def judge(now: Reading, before: Reading | None, *, buying: bool, age: float = 0.0) -> Verdict:
    """Return the verdict on a reading, compared with an earlier one.

    V5 can be judged at every instant. The other generations can be judged when their units are at
    rest: a unit that left Redis and whose order is not written yet looks like a lost one. Oversold
    units are certain at any time.

    Args:
        buying: whether this page's buyers are sending requests for the product.
        age: seconds since the last reading.

    """
    books = now.books
    if age > STALE:
        detail = f"The last reading is {age:.0f} s old."
        return Verdict(Status.NO_ANSWER, "No recent reading", detail)
    if books is None:
        return _without_books(now.down)
    if books.oversold:
        detail = (
            f"{books.confirmed:,} orders are confirmed, but there were {books.initial:,} units."
        )
        return Verdict(Status.BAD, f"{_units(books.oversold)} oversold", detail)
    exact = books.ledger is not None and books.imbalance == 0
    at_rest = is_at_rest(now, before, buying=buying)
    if not exact and not at_rest:
        detail = (
            f"{books.stock:,} of {books.initial:,} units left. "
            "Only V5 can be judged while it sells; "
            "other generations can be judged when the sale is at rest."
        )
        return Verdict(Status.UNKNOWN, "Selling", detail)
    detail = _sum(figures(books, at_rest=at_rest), postgres_down=now.postgres_down)
    if now.postgres_down and on_postgres(books):
        return Verdict(Status.NO_ANSWER, _no_answer(now.down), f"Last known: {detail}")
    return _judge_units(books, detail, orders_unseen=now.orders_unseen)


def _without_books(down: Sequence[str]) -> Verdict:
    if not down:
        return Verdict(Status.UNKNOWN, "Nothing to judge yet", "There is no sale yet.")
    detail = "It is unknown where the units are. The page keeps trying."
    return Verdict(Status.NO_ANSWER, _no_answer(down), detail)


def is_at_rest(now: Reading, before: Reading | None, *, buying: bool) -> bool:
    """Return whether no unit moved between two readings, and no buyer is active."""
    return not buying and before is not None and state(before) == state(now)


def _judge_units(books: Books, detail: str, *, orders_unseen: bool) -> Verdict:
    if orders_unseen:
        detail += " The last orders in PostgreSQL were not read."
        return Verdict(Status.NO_ANSWER, "Unknown without PostgreSQL", detail)
    if books.lost:
        detail = f"{_units(books.lost)} left the stock without an order. {detail}"
        return Verdict(Status.BAD, f"{_units(books.lost)} lost", detail)
    if books.imbalance < 0:
        return Verdict(Status.BAD, f"{_units(-books.imbalance)} sold and still in stock", detail)
    if books.parked:
        detail += " Parked messages wait for the operator: see flashsale dlq peek parking."
        return Verdict(Status.UNKNOWN, f"{_units(books.parked)} parked", detail)
    return Verdict(Status.GOOD, "Every unit is accounted for", detail)


def state(seen: Reading) -> tuple[object, ...]:
    """Return the figures of a reading that change when a unit moves."""
    books = seen.books
    if books is None:
        return ()
    held = books.ledger.held if books.ledger else 0
    waiting = books.unsettled, books.parked, held
    written = books.reserved, books.confirmed, books.expired, books.cancelled
    return books.product_id, books.stock, *waiting, *written


def _sum(units: Figures, *, postgres_down: bool) -> str:
    found = units.stock + units.on_the_way + units.parked + units.held + units.confirmed
    parked = f"+ {units.parked:,} parked " if units.parked else ""
    held = f"+ {units.held:,} held until paid " if units.held or units.expired else ""
    sign = "=" if found == units.initial else "≠"
    text = (
        f"{units.initial:,} units {sign} {units.stock:,} in stock "
        f"+ {units.on_the_way:,} on the way {parked}{held}+ {units.confirmed:,} confirmed."
    )
    if units.expired:
        text += f" {units.expired:,} {'was' if units.expired == 1 else 'were'} not paid in time, "
        text += "and came back to the stock."
    if postgres_down:
        text += " PostgreSQL is down: its figure is the last known."
    return text


def _no_answer(down: Sequence[str]) -> str:
    return f"{' and '.join(down)} {'does' if len(down) == 1 else 'do'} not answer"


def _units(count: int) -> str:
    return f"{count} unit" if count == 1 else f"{count:,} units"
