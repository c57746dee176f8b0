"""Orders in PostgreSQL. PostgreSQL decides whether an order exists."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from flashsale.domain.messages import QueuedOrder
from flashsale.domain.model import NO_UNITS_LEFT, OrderRow, OrderStatus, Product, Refusal, Written
from flashsale.domain.purchases import Purchase
from flashsale.errors import OrderRejected
from flashsale.postgres_store.database import BATCH_SILENCE, Connection, Database, sql
from flashsale.postgres_store.order_parameters import (
    arrays_of,
    by_id,
    columns_of,
    users_of,
    written_by_id,
)

_WITH_UNITS = [OrderStatus.CONFIRMED.value, OrderStatus.RESERVED.value]


class Orders:
    """Reads and writes orders. Every method is one transaction, unless it takes a connection."""

    def __init__(self, database: Database, *, register_buyers: bool = False) -> None:
        """Make the adapter.

        Args:
            register_buyers: add unknown buyers to `users`, because a token has identified them.

        """
        self._database = database
        self._register_buyers = register_buyers

    async def insert_without_taking_units(self, order: QueuedOrder) -> OrderRow | Refusal:
        """Write a confirmed order without taking its units (V1)."""
        try:
            row = await self._database.fetch_one("insert_order", **columns_of(order))
        except OrderRejected as error:
            return _refusal(error)
        assert row
        return _order_row(row)

    async def take_units_and_insert(self, order: QueuedOrder) -> Purchase | Refusal:
        """Take the units from `products.stock` and write the order, or do neither (V2, V3)."""
        try:
            async with self._database.transaction() as connection:
                cursor = await connection.execute(
                    sql("take_units"), {"id": order.product_id, "quantity": order.quantity}
                )
                if not (product := await cursor.fetchone()):
                    return await self._why_nothing_was_taken(connection, order.product_id)
                cursor = await connection.execute(sql("insert_order"), columns_of(order))
                placed = await cursor.fetchone()
        except OrderRejected as error:
            return _refusal(error)
        assert placed
        return Purchase(Product(**product), _order_row(placed))

    @staticmethod
    async def _why_nothing_was_taken(connection: Connection, product_id: str) -> Refusal:
        cursor = await connection.execute(sql("select_product"), {"id": product_id})
        return Refusal.SOLD_OUT if await cursor.fetchone() else Refusal.NO_SUCH_PRODUCT

    async def write_batch(self, orders: Sequence[QueuedOrder]) -> Mapping[str, Written]:
        """Write a batch: each order CONFIRMED, or CANCELLED if the stock is too small for it.

        An order of V5 is RESERVED instead of CONFIRMED where its product has a payment hold. Orders
        that already exist stay unchanged. Return what is written of each order by id. It lacks
        orders whose user or product does not exist, and orders whose id another order has (of
        another buyer, product, number of units or generation).

        Raises:
            OrderRejected: two orders of this batch have the same id.

        """
        distinct = list(by_id(orders).values())
        try:
            new = await self._place_all(distinct)
        except OrderRejected:  # not all of them fit, or another constraint rejects this one again
            return await self._place_those_that_fit(distinct)
        if others := [order for order in distinct if order.id not in new]:
            rows = await self._database.fetch_all("select_statuses", **arrays_of(others))
            return new | written_by_id(rows)
        return new

    async def _place_all(self, orders: Sequence[QueuedOrder]) -> dict[str, Written]:
        """Write the new orders and take their units, in one exchange; return the new ones by id.

        Raises OrderRejected, without an effect, if not all of them fit into the stock.
        """
        if self._register_buyers:
            await self._database.write_at_once("insert_users", ids=users_of(orders))
        rows = await self._database.write_at_once(
            "insert_orders", **arrays_of(orders), take_units=True
        )
        return written_by_id(rows)

    async def _register(self, connection: Connection, orders: Sequence[QueuedOrder]) -> None:
        if self._register_buyers:
            await connection.execute(sql("insert_users"), {"ids": users_of(orders)})

    async def _place_those_that_fit(self, orders: Sequence[QueuedOrder]) -> Mapping[str, Written]:
        """Write a batch in which not all orders fit: Redis accepted more than PostgreSQL has.

        It needs several exchanges, because what an order takes decides which of the next ones fit.
        """
        async with self._database.transaction(silence=BATCH_SILENCE) as connection:
            await self._register(connection, orders)
            cursor = await connection.execute(
                sql("insert_orders"), {**arrays_of(orders), "take_units": False}
            )
            new = {row["id"] for row in await cursor.fetchall()}
            by_product: dict[str, list[QueuedOrder]] = defaultdict(list)
            for order in orders:  # first come, first served
                if order.id in new:
                    by_product[order.product_id].append(order)
            for product_id in sorted(by_product):  # so that two batches lock in the same order
                await self._take_units(connection, product_id, by_product[product_id])
            return await self._statuses(connection, orders)

    @staticmethod
    async def _take_units(
        connection: Connection, product_id: str, orders: list[QueuedOrder]
    ) -> None:
        """Take the units of new orders, first come, first served. Cancel the others."""
        cursor = await connection.execute(sql("lock_stock"), {"id": product_id})
        row = await cursor.fetchone()
        left = stock = row["stock"] if row else 0
        misfits = []
        for order in orders:
            if order.quantity <= left:
                left -= order.quantity
            else:
                misfits.append(order.id)
        if misfits:
            reason = {"ids": misfits, "reason": NO_UNITS_LEFT}
            await connection.execute(sql("cancel_orders"), reason)
        if left < stock:
            await connection.execute(
                sql("take_units"), {"id": product_id, "quantity": stock - left}
            )

    async def get(self, order_id: str) -> OrderRow | None:
        """Return the row of an order, or None if there is no such order."""
        row = await self._database.fetch_one("select_order", id=order_id)
        return _order_row(row) if row else None

    async def get_all(self, order_ids: Sequence[str]) -> list[OrderRow]:
        """Return the rows of those of these orders that are written, by one statement."""
        rows = await self._database.fetch_all("select_orders", ids=list(order_ids))
        return [_order_row(row) for row in rows]

    async def units_by_buyer(self, product_id: str) -> dict[str, int]:
        """Return the units in CONFIRMED and RESERVED orders of a product, by user."""
        rows = await self._database.fetch_all("select_buyers", id=product_id)
        return {row["user_id"]: row["units"] for row in rows}

    async def cancel_unless_confirmed(
        self, orders: Sequence[QueuedOrder], reasons: Sequence[str]
    ) -> Mapping[str, Written]:
        """Write orders as CANCELLED, each with its reason, unless they exist.

        The order function and the rollback function race for the primary key of an order, and
        exactly one wins. Return what is written of each order by id. It lacks orders whose product
        does not exist, and orders whose id another order has. That other order stays unchanged.

        Raises:
            OrderRejected: two orders of this batch have the same id.

        """
        by_id(orders)
        async with self._database.transaction(silence=BATCH_SILENCE) as connection:
            await self._write_cancelled(connection, orders, reasons)
            return await self._statuses(connection, orders)

    async def cancel_even_if_confirmed(
        self, connection: Connection, order_id: str, claim: QueuedOrder | None, reason: str
    ) -> OrderStatus | None:
        """Cancel an order whatever its status is, as a part of this transaction.

        The units of a CONFIRMED or RESERVED order go back to PostgreSQL's stock, and its payment is
        to be refunded. Return CANCELLED, or EXPIRED if it was that before. Return None if there is
        no such order, or if another order has the id of the claim: the units could belong to
        either, until the claim is released.

        Args:
            claim: the claim of the order while it is unsettled. There may be no row yet.

        """
        if claim:  # first: this row or that of the order function wins, and the race is over
            await self._write_cancelled(connection, [claim], [reason])
            if not await self._statuses(connection, [claim]):
                return None
        await connection.execute(
            sql("cancel_placed_order"),
            {"id": order_id, "reason": reason, "statuses": _WITH_UNITS},
        )
        await connection.execute(sql("refund_cancelled_order"), {"id": order_id})
        cursor = await connection.execute(sql("select_order"), {"id": order_id})
        row = await cursor.fetchone()
        return OrderStatus(row["status"]) if row else None

    async def cancel_if_reserved(self, order_id: str, reason: str) -> None:
        """Cancel a RESERVED order; its units go back to PostgreSQL's stock. Others stay."""
        statuses = [OrderStatus.RESERVED.value]
        await self._database.run(
            "cancel_placed_order", id=order_id, reason=reason, statuses=statuses
        )

    async def _write_cancelled(
        self, connection: Connection, orders: Sequence[QueuedOrder], reasons: Sequence[str]
    ) -> None:
        # Without a user in the row, the buyer would be told that there is no such order.
        await self._register(connection, orders)
        await connection.execute(
            sql("insert_cancelled_orders"), {**arrays_of(orders), "reasons": list(reasons)}
        )

    @staticmethod
    async def _statuses(
        connection: Connection, orders: Sequence[QueuedOrder]
    ) -> dict[str, Written]:
        cursor = await connection.execute(sql("select_statuses"), arrays_of(orders))
        return written_by_id(await cursor.fetchall())


def _order_row(row: Mapping[str, object]) -> OrderRow:
    return OrderRow(**{**row, "status": OrderStatus(row["status"])})  # type: ignore[arg-type]


def _refusal(error: OrderRejected) -> Refusal:
    match error.constraint:
        case "orders_user_id_fkey":
            return Refusal.NO_SUCH_USER
        case "orders_product_id_fkey":
            return Refusal.NO_SUCH_PRODUCT
    raise error
