"""Products in PostgreSQL."""

from decimal import Decimal

from flashsale.domain.model import Declined, Hold, Product, Supply
from flashsale.postgres_store.database import Connection, Database, sql


class Products:
    """Reads and creates products, and overwrites the stock as V1 does."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, product_id: str) -> Product | None:
        """Return a product, or None if there is no such product."""
        row = await self._database.fetch_one("select_product", id=product_id)
        return Product(**row) if row else None

    async def get_for_buyer(self, product_id: str, user_id: str) -> tuple[Product, bool] | None:
        """Return a product, and whether this user exists; None if there is no such product."""
        row = await self._database.fetch_one(
            "select_product_for_buyer", id=product_id, user_id=user_id
        )
        if row is None:
            return None
        buyer_exists = row.pop("buyer_exists")
        return Product(**row), buyer_exists

    async def list_all(self) -> list[Product]:
        """Return all products, oldest first."""
        return [Product(**row) for row in await self._database.fetch_all("select_products")]

    async def overwrite_stock(self, product_id: str, stock: int) -> Product:
        """Set the stock to a figure that was computed from an earlier read: the bug of V1."""
        row = await self._database.fetch_one("overwrite_stock", id=product_id, stock=stock)
        assert row, "V1 reads a product before it writes its stock; products are never deleted"
        return Product(**row)

    async def get_supply(self, product_id: str) -> Supply | None:
        """Return what there is to sell of a product, or None if there is no such product."""
        row = await self._database.fetch_one("select_supply", id=product_id)
        if row is None:
            return None
        row["holds"] = [Hold(*hold) for hold in row["holds"]]
        return Supply(**row)

    async def set_hold(self, product_id: str, seconds: int) -> None:
        """Give the buyers of a product this time to pay: for orders written from now on."""
        await self._database.run("set_hold", id=product_id, seconds=seconds)

    @staticmethod
    async def create(
        connection: Connection,
        product_id: str,
        name: str,
        price: Decimal,
        currency: str,
        stock: int,
    ) -> Declined | None:
        """Add a product, as a part of this transaction. An equal product may already exist."""
        wanted = {"id": product_id, "name": name, "price": price, "stock": stock}
        wanted["currency"] = currency
        for statement in ("insert_product", "select_equal_product"):
            cursor = await connection.execute(sql(statement), wanted)
            if await cursor.fetchone():
                return None
        return Declined.PRODUCT_EXISTS

    @staticmethod
    async def add_units(connection: Connection, product_id: str, units: int) -> Declined | None:
        """Add units to a product, as a part of this transaction."""
        cursor = await connection.execute(sql("add_units"), {"id": product_id, "units": units})
        if await cursor.fetchone():
            return None
        cursor = await connection.execute(sql("select_product"), {"id": product_id})
        return Declined.TOO_MANY_UNITS if await cursor.fetchone() else Declined.NO_SUCH_PRODUCT
