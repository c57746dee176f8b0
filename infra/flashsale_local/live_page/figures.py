"""Where the units of a sale are. The verdict and the charts both show these figures."""

from dataclasses import dataclass

from flashsale.domain.model import ON_POSTGRES
from flashsale.usecases.books import Books


@dataclass(frozen=True, slots=True)
class Figures:
    """Units of one product at one instant.

    Attributes:
        held: units of RESERVED orders, which may still be paid.
        taken: units that left the stock, with or without an order.
        expired: units of orders that were not paid in time. They are in the stock again.

    """

    initial: int
    stock: int
    on_the_way: int
    parked: int
    held: int
    confirmed: int
    taken: int
    expired: int


def on_postgres(books: Books) -> bool:
    """Return whether the product is sold only from PostgreSQL's stock."""
    return bool(books.generations) and ON_POSTGRES.issuperset(books.generations)


def figures(books: Books, *, at_rest: bool) -> Figures:
    """Return the figures of these books as of the instant at which Redis was read.

    PostgreSQL is read after Redis. Orders that are confirmed between the two reads belong to units
    that were still in stock, or on the way, when Redis was read. Unless the sale is at rest, these
    units are counted where Redis had them.

    Args:
        at_rest: whether nothing moved between two readings. If so, no figure is adjusted.

    """
    stock, on_the_way = books.stock, books.unsettled
    parked, confirmed = books.parked, books.confirmed
    held = books.ledger.held if books.ledger else books.reserved
    expired = books.expired
    if on_postgres(books):  # one statement reads the stock and the orders
        taken = confirmed
        return Figures(books.initial, stock, on_the_way, parked, held, confirmed, taken, expired)
    taken = max(0, books.initial - stock)
    if books.ledger and books.imbalance == 0:
        # V5's conservation law holds at every instant, so Redis alone tells what is confirmed.
        confirmed = max(0, taken - on_the_way - held)
    elif not at_rest:
        confirmed = min(confirmed, taken)
    return Figures(books.initial, stock, on_the_way, parked, held, confirmed, taken, expired)
