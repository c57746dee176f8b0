"""Creates users and products. Existing ones stay as they are."""

import json
import re
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

from flashsale.domain.model import PRODUCT_ID
from flashsale.postgres_store.database import LONG_SILENCE
from flashsale.services import Services
from flashsale_local.paths import LOCAL
from flashsale_local.problems import Problem

# How much `flashsale seed` makes unless told otherwise, and where it writes the ids.
USERS, PRODUCTS, UNITS = 3000, 10, 100
IDS = LOCAL / "ids.json"

INSERT_USERS = """
INSERT INTO users (id, name, email)
SELECT id, 'Buyer ' || id, id || '@example.com' FROM unnest(%(ids)s::text[]) AS ids (id)
ON CONFLICT DO NOTHING
"""

INSERT_PRODUCTS = """
INSERT INTO products (id, name, price, initial_stock, stock)
SELECT id, 'Product ' || id, 49.90, %(stock)s, %(stock)s FROM unnest(%(ids)s::text[]) AS ids (id)
ON CONFLICT DO NOTHING
"""

# Two products never have the same name.
INSERT_PRODUCT = """
INSERT INTO products (id, name, price, initial_stock, stock)
SELECT
    %(id)s, %(name)s || CASE WHEN count(*) = 0 THEN '' ELSE ', sale ' || count(*) + 1 END,
    %(price)s, %(stock)s, %(stock)s
FROM products
WHERE name = %(name)s OR starts_with(name, %(name)s || ', sale ')
"""


def user_ids(count: int) -> list[str]:
    """Return ids of users: u-00001, u-00002, …"""
    return [f"u-{number:05}" for number in range(1, count + 1)]


def product_ids(count: int, prefix: str = "p-") -> list[str]:
    """Return ids of products: p-01, p-02, …"""
    return [f"{prefix}{number:02}" for number in range(1, count + 1)]


async def seed(
    services: Services, users: Sequence[str], products: Sequence[str], stock: int
) -> tuple[int, int]:
    """Insert missing users and products; return how many users and products are new.

    Args:
        stock: units of each new product.

    Raises:
        Problem: the id of a product is not valid.

    """
    for product_id in products:
        if not re.fullmatch(PRODUCT_ID, product_id):
            raise Problem(
                f"{product_id!r} cannot be the id of a product.",
                "An id has 1 to 64 letters, digits, or signs of . _ : - but it is neither . nor ..",
            )
    async with services.database.transaction(silence=LONG_SILENCE) as connection:
        new_users = await connection.execute(INSERT_USERS, {"ids": list(users)})
        new_products = await connection.execute(
            INSERT_PRODUCTS, {"ids": list(products), "stock": stock}
        )
        return new_users.rowcount, new_products.rowcount


async def seed_product(
    services: Services, product_id: str, name: str, price: Decimal, stock: int
) -> None:
    """Insert a product with a price of its own. A name that is taken gets a number."""
    values = {"id": product_id, "name": name, "price": price, "stock": stock}
    async with services.database.transaction() as connection:
        await connection.execute(INSERT_PRODUCT, values)


def write_ids(path: Path, users: Sequence[str], products: Sequence[str]) -> None:
    """Write the ids that load scripts read: {"users": […], "products": […]}."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"users": list(users), "products": list(products)}, indent=1))
