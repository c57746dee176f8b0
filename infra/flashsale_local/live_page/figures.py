"""Where the units of a sale are, as the page says and draws it: one set of figures for both."""

from dataclasses import dataclass

from flashsale.domain.model import ON_POSTGRES
from flashsale.usecases.books import Books


@dataclass(frozen=True, slots=True)
class Figures:
    """Units of one product at one instant.

    Attributes:
        taken: units that left the stock, whether an order has them or not.

    """

    initial: int
    stock: int
    on_the_way: int
    parked: int
    confirmed: int
    taken: int


def on_postgres(books: Books) -> bool:
    """Whether it is sold from PostgreSQL's stock, and from that only."""
    return bool(books.generations) and ON_POSTGRES.issuperset(books.generations)


def figures(books: Books, *, rests: bool) -> Figures:
    """The figures of these books as of the instant at which Redis was read.

    PostgreSQL is read after Redis. In between orders are confirmed whose units were in stock, or on
    the way, when Redis was read: while a sale does not rest, they are counted where they were then.

    Args:
        rests: whether nothing moved between two readings; then no figure is changed.

    """
    stock, way, parked, confirmed = books.stock, books.unsettled, books.parked, books.confirmed
    if on_postgres(books):  # one statement reads both
        return Figures(books.initial, stock, way, parked, confirmed, taken=confirmed)
    taken = max(0, books.initial - stock)
    if books.ledger and books.imbalance == 0:
        confirmed = max(0, taken - way)  # the ledger's law, of which Redis alone knows all
    elif not rests:
        confirmed = min(confirmed, taken)
    return Figures(books.initial, stock, way, parked, confirmed, taken)
