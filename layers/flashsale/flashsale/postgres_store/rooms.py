"""Waiting rooms in PostgreSQL: what must outlive Redis."""

from datetime import datetime

from psycopg.rows import DictRow

from flashsale.domain.rooms import Mode, Room, RoomTerms
from flashsale.postgres_store.database import Connection, Database, sql


class RoomRows:
    """Writes the rooms of sales, and how far they are."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, product_id: str, epoch: int | None = None) -> Room | None:
        """Return the room of an epoch, by default the room that guards the product, or None."""
        row = await self._database.fetch_one("select_room", product_id=product_id, epoch=epoch)
        return _room(row) if row else None

    async def prepare(
        self,
        product_id: str,
        terms: RoomTerms,
        opens_at: datetime | None,
        seed: str,
        *,
        after: int = 0,
        lost: bool = False,
    ) -> Room:
        """Return the room for the next opening of a sale. A repeated call returns the same room.

        Args:
            opens_at: None for now.
            seed: of a new room, 32 bytes in hex.
            after: the last epoch that was in use, 0 for none.
            lost: Redis has no sale of the product. Those who have joined its room keep their place.

        """
        row = None
        while row is None:  # another opening has written the same epoch
            row = await self._database.fetch_one(
                "prepare_room",
                product_id=product_id,
                after=after,
                lost=lost,
                mode=terms.mode,
                from_at=terms.from_at,
                opens_at=opens_at,
                max_inside=terms.max_inside,
                max_rate=terms.max_rate,
                admission_seconds=terms.admission_seconds,
                call_seconds=terms.call_seconds,
                seed=seed,
            )
        return _room(row)

    async def mark_opened(self, product_id: str, epoch: int) -> None:
        """Record that a sale was opened with this room, so that it guards the product."""
        await self._database.run("mark_room_opened", product_id=product_id, epoch=epoch)

    async def save(self, product_id: str, epoch: int, serving: int, issued: int) -> None:
        """Save how far a room is. Neither figure ever falls."""
        await self._database.run(
            "save_room", product_id=product_id, epoch=epoch, serving=serving, issued=issued
        )

    async def save_draw(self, product_id: str, epoch: int, drawn: int) -> int:
        """Save how many were drawn; return the number that counts, which is the first."""
        row = await self._database.fetch_one(
            "save_draw", product_id=product_id, epoch=epoch, drawn=drawn
        )
        assert row, "a room is written before its sale opens, and rows stay"
        return int(row["drawn"])

    async def restore(self, product_id: str, epoch: int, margin: int) -> Room:
        """Return the room as Redis must get it after a loss, with a due draw.

        Args:
            margin: how many arrivals may have got their number since the last save, at least.

        """
        row = await self._database.fetch_one(
            "restore_room", product_id=product_id, epoch=epoch, margin=margin
        )
        assert row, "a room is written before its sale opens, and rows stay"
        return _room(row)

    async def close(self, product_id: str) -> None:
        """Record that the product is on sale without a room."""
        await self._database.run("close_room", product_id=product_id)

    @staticmethod
    async def change(
        connection: Connection,
        product_id: str,
        *,
        paused: bool | None = None,
        max_rate: int | None = None,
    ) -> bool:
        """Change the room that guards a product, as a part of this transaction.

        Return False if there is none. `max_rate` is in calls a minute.
        """
        changes = {"product_id": product_id, "paused": paused, "max_rate": max_rate}
        cursor = await connection.execute(sql("change_room"), changes)
        return await cursor.fetchone() is not None


def _room(row: DictRow) -> Room:
    terms = RoomTerms(
        Mode(row["mode"]),
        row["from_at"],
        row["max_inside"],
        row["max_rate"],
        row["admission_seconds"],
        row["call_seconds"],
    )
    return Room(
        row["product_id"],
        row["epoch"],
        terms,
        row["opens_at"],
        row["seed"],
        row["drawn"],
        row["serving"],
        row["issued"],
        row["joins_a_minute"],
        paused=row["paused"],
        opened=row["opened_at"] is not None,
    )
