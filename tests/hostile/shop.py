"""The content of the stores, to compare it before and after an attack."""

import json
import re
import uuid

from flashsale.domain.model import V5
from flashsale.redis_store.scripts import Keys
from tests.helpers.support import USERS

# Enough for all purchases of one test.
UNITS = 1_000_000
# The only keys whose names may contain a text of the sender.
OWN_NAMES = ("idem:", "}:idem:", "}:rate:")
# Keys that servers write themselves, or that expire, while a test runs.
STANDING = re.compile(r"sweeper|expirer|relay:.*|.*\}:lease|.*\}:door-saver")


class Shop:
    """One product on sale, and the stores."""

    def __init__(self, product_id, redis, database):
        self.product_id = product_id
        self.redis = redis
        self._database = database

    def body(self, **changes):
        fields = {"productId": self.product_id, "userId": USERS[0], **changes}
        return json.dumps({k: v for k, v in fields.items() if v is not ...}).encode()

    def names(self):
        """Return the names of all keys except those for idempotency and of running servers."""
        return {
            name
            for name in self.redis.scan_iter(count=1000)
            if not STANDING.fullmatch(name) and not any(part in name for part in OWN_NAMES)
        }

    def books(self):
        """Return stock, ledger and orders of the product, and the number of rows of each table."""
        keys = Keys(self.product_id)
        rows = self._database.execute(
            "SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM products),"
            " (SELECT count(*) FROM orders), (SELECT sum(stock) FROM products)"
        ).fetchone()
        return {
            "stock": self.redis.get(keys.stock),
            "ledger": self.redis.xrange(keys.ledger),
            "sale": self.redis.hgetall(keys.sale),
            "buyers": self.redis.hgetall(keys.buyers),
            "rows": rows,
        }

    def everything(self):
        return self.names(), self.books()

    def rows(self):
        """Return id, status and quantity of the product's orders."""
        return set(
            self._database.execute(
                "SELECT id, status, quantity FROM orders WHERE product_id = %s", [self.product_id]
            )
        )

    def confirm(self):
        """Write a confirmed order of V2 and return its id."""
        id_ = str(uuid.uuid4())
        self._database.execute(
            "INSERT INTO orders (id, user_id, product_id, quantity, status, generation)"
            " VALUES (%s, %s, %s, 1, 'CONFIRMED', 2)",
            [id_, USERS[0], self.product_id],
        )
        return id_

    def buyers(self):
        """Return the users that have an order of the product."""
        statement = "SELECT user_id FROM orders WHERE product_id = %s"
        return {user for (user,) in self._database.execute(statement, [self.product_id])}

    def forget(self, product_id):
        """Delete a product without orders."""
        self._database.execute("DELETE FROM products WHERE id = %s", [product_id])

    def last_action(self, column):
        """Return this column of the newest action in the audit."""
        statement = f"SELECT {column} FROM admin_actions ORDER BY id DESC LIMIT 1"
        return self._database.execute(statement).fetchone()[0]

    def order(self, id_, **changes):
        """Return the body of a queue message with one order of V4."""
        fields = {
            "id": id_, "product_id": self.product_id, "user_id": USERS[0], "quantity": 1,
            "generation": V5 - 1, "correlation_id": "c",
        }  # fmt: skip
        return fields | changes
