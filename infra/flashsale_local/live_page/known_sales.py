"""What the page knows of sales that it does not read now."""

from collections.abc import Sequence

from flashsale.services import Services
from flashsale.usecases.books import Books, read_books
from flashsale_local.live_page.shop import Channel, OpenedSale


class KnownSales:
    """The sales that this page opened, and the last known books of all that it has read."""

    def __init__(self) -> None:
        self._opened: dict[str, OpenedSale] = {}
        self._books: dict[str, Books] = {}

    def add(self, sale: OpenedSale) -> Books:
        """Add a sale that this page opened, and return its books.

        They are known even if PostgreSQL stops before they are read.
        """
        self._opened[sale.product_id] = sale
        fresh = Books(sale.product_id, (), sale.units, None, sale.units, 0, 0)
        self._books[sale.product_id] = fresh
        return fresh

    def keep(self, books: Books) -> None:
        """Keep books that were read while all servers answered."""
        self._books[books.product_id] = books

    def books_of(self, product_id: str) -> Books | None:
        """Return a product's books when PostgreSQL last answered."""
        return self._books.get(product_id)

    def channel_of(self, product_id: str) -> Channel:
        """Return the channel that sells a product. It is V5 until the first order shows it."""
        if sale := self._opened.get(product_id):
            return sale.channel
        books = self._books.get(product_id)
        return Channel(max(books.generations) if books and books.generations else 5, "lambda")

    def knows_channel_of(self, product_id: str) -> bool:
        """Whether the channel is known, and not only assumed."""
        books = self._books.get(product_id)
        return product_id in self._opened or bool(books and (books.generations or books.ledger))


async def newest_of_each_generation(services: Services, products: Sequence[str]) -> list[Books]:
    """Return the books of the newest product that each generation has sold.

    Args:
        products: ids, newest first.

    """
    rows = {row.product_id: row for row in await read_books(services, products)}
    newest: dict[tuple[int, ...], Books] = {}
    for product_id in products:
        if (books := rows.get(product_id)) and books.generations:
            newest.setdefault(books.generations, books)
    return list(newest.values())
