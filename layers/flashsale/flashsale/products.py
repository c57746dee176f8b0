"""Products in PostgreSQL, as buyers see them."""

from flashsale.database import Database
from flashsale.model import Product


class Products:
    """Reads products, and writes the stock the way V1 does."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, product_id: str) -> Product | None:
        """One product, or None."""
        row = await self._database.fetch_one("select_product", id=product_id)
        return Product(**row) if row else None

    async def all(self) -> list[Product]:
        """All products, oldest first."""
        return [Product(**row) for row in await self._database.fetch_all("select_products")]

    async def overwrite_stock(self, product_id: str, stock: int) -> Product:
        """V1's mistake: set the stock to a figure computed from an earlier read."""
        row = await self._database.fetch_one("overwrite_stock", id=product_id, stock=stock)
        assert row, "V1 reads a product before it writes its stock; products are never deleted"
        return Product(**row)
