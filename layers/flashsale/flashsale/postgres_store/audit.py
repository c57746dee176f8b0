"""What admins did, in PostgreSQL: who, what, to what, when, and how it ended."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from flashsale.domain.model import Declined
from flashsale.postgres_store.database import Connection, Database, sql

# An action that has not ended: under way, or dead. To repeat it is safe, and ends it.
BEGUN = "begun"
DONE = "done"


@dataclass(frozen=True, slots=True)
class Action:
    """What an admin asks for. The same `key` of the same admin names the same action.

    Attributes:
        name: such as "restock".
        target: id of a product or an order.
        arguments: what JSON can hold.

    """

    who: str
    name: str
    target: str
    arguments: Mapping[str, object]
    correlation_id: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class Attempt:
    """An action that was written down. `outcome` is BEGUN, DONE, or a value of `Declined`."""

    id: int
    outcome: str


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One row of the audit; `ended_at` is None while the action is under way, or where it died."""

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
"""What an action changes in PostgreSQL, or why it changed nothing."""


class Audit:
    """Writes admins' actions down. Each method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(
        self, action: Action, change: Change | None = None, *, whole: bool = False
    ) -> Attempt | None:
        """Write an action down together with what it changes in PostgreSQL, or do neither.

        With `whole`, that is all there is to do, and so the action ends here.

        Of an action that came before with the same key the earlier attempt is returned, and nothing
        is changed again; None if the key came with another action.
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
        asked = {"who": action.who, "key": action.key}
        row = await (await connection.execute(sql("select_action"), asked)).fetchone()
        assert row, "the insert met it"
        wanted = (action.name, action.target, json.loads(json.dumps(action.arguments)))
        if (row["action"], row["target"], row["arguments"]) != wanted:
            return None
        return Attempt(row["id"], row["outcome"])

    async def end(self, attempt: Attempt, outcome: str) -> None:
        """Write down how an action ended: DONE, or a value of `Declined`."""
        await self._database.run("end_action", id=attempt.id, outcome=outcome)

    async def list_latest(self, limit: int) -> list[AuditEntry]:
        """The newest actions, newest first."""
        rows = await self._database.fetch_all("select_actions", limit=limit)
        return [AuditEntry(**row) for row in rows]
