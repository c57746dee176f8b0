"""The audit log of admins' actions in PostgreSQL: who did what to what, when, and the outcome."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from flashsale.domain.model import Declined
from flashsale.domain.pauses import UnrecordedPause
from flashsale.postgres_store.database import Connection, Database, sql

# The outcome of an action that has not ended: it runs, or its process died. A retry ends it.
BEGUN = "begun"
DONE = "done"


@dataclass(frozen=True, slots=True)
class Action:
    """The request of an admin. The same `key` of the same admin means the same action.

    Attributes:
        who: the admin's user id.
        name: such as "restock".
        target: the id of a product or an order.
        arguments: values that JSON can represent.
        key: the Idempotency-Key, "" for none.

    """

    who: str
    name: str
    target: str
    arguments: Mapping[str, object]
    correlation_id: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class Attempt:
    """An action in the audit log. `outcome` is BEGUN, DONE, or a value of `Declined`."""

    id: int
    outcome: str


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """A row of the audit log. `ended_at` is None while the action runs, or if its process died."""

    id: int
    who: str
    action: str
    target: str
    arguments: Mapping[str, object]
    outcome: str
    idempotency_key: str | None
    correlation_id: str
    begun_at: datetime
    ended_at: datetime | None


Change = Callable[[Connection], Awaitable[Declined | None]]
"""Applies the change of an action in PostgreSQL. Returns why it changed nothing, or None."""


class Audit:
    """Records admins' actions. Each method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(
        self, action: Action, change: Change | None = None, *, whole: bool = False
    ) -> Attempt | None:
        """Record an action and apply its change in PostgreSQL, or do neither.

        If the same action came before with the same key, change nothing, and return the earlier
        attempt. If the key came with another action, return None.

        Args:
            whole: the action has no step outside PostgreSQL, so it ends here.

        """
        async with self._database.transaction() as connection:
            arguments = json.dumps(action.arguments)
            cursor = await connection.execute(
                sql("begin_action"),
                {
                    "who": action.who,
                    "action": action.name,
                    "target": action.target,
                    "arguments": arguments,
                    "key": action.key or None,
                    "correlation_id": action.correlation_id,
                },
            )
            if (new := await cursor.fetchone()) is None:
                return await self._earlier(connection, action)
            declined = await change(connection) if change else None
            outcome = declined.value if declined else DONE if whole else BEGUN
            if outcome != BEGUN:
                await connection.execute(sql("end_action"), {"id": new["id"], "outcome": outcome})
            return Attempt(new["id"], outcome)

    @staticmethod
    async def _earlier(connection: Connection, action: Action) -> Attempt | None:
        parameters = {"who": action.who, "key": action.key}
        row = await (await connection.execute(sql("select_action"), parameters)).fetchone()
        assert row, "the insert met this row"
        wanted = (action.name, action.target, json.loads(json.dumps(action.arguments)))
        if (row["action"], row["target"], row["arguments"]) != wanted:
            return None
        return Attempt(row["id"], row["outcome"])

    async def end(self, attempt: Attempt, outcome: str) -> None:
        """Record the outcome of an action: DONE, or a value of `Declined`."""
        await self._database.run("end_action", id=attempt.id, outcome=outcome)

    async def record_late(self, pause: UnrecordedPause) -> None:
        """Record a pause that took effect without PostgreSQL. Idempotent."""
        values = {
            "who": pause.who,
            "target": pause.product_id,
            "arguments": json.dumps(pause.arguments),
            "correlation_id": pause.correlation_id,
            "at": pause.at,
        }
        # While PostgreSQL was down, nobody could see that the key had named another action before.
        # No client's key has a blank, so the second one is free.
        for key in (pause.key, f"{pause.key} {pause.at.isoformat()}"):
            if await self._database.fetch_one("insert_late_pause", **values, key=key):
                return

    async def list_latest(self, limit: int) -> list[AuditEntry]:
        """Return the newest actions, newest first."""
        rows = await self._database.fetch_all("select_actions", limit=limit)
        return [AuditEntry(**row) for row in rows]
