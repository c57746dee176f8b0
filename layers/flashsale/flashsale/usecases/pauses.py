"""Use cases of pauses while PostgreSQL is down: stop a sale now, and complete the audit later.

A pause is the only action that may go before its audit row. It loses no unit, and a resume undoes
it. Redis stops the sale and keeps the record in one step. When PostgreSQL is back, the record goes
there first, and then leaves Redis. A process that dies in between leaves both, and the next one
finds the row by its key.
"""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime

from flashsale.domain.model import Declined
from flashsale.domain.pauses import UnrecordedPause
from flashsale.postgres_store.audit import Action
from flashsale.redis_store.return_codes import Pause
from flashsale.services import Services

NOT_PAUSED = {Pause.ENDED: Declined.SALE_ENDED, Pause.NO_SALE: Declined.NO_SALE}

logger = logging.getLogger(__name__)


async def pause_unrecorded(services: Services, action: Action) -> Declined | UnrecordedPause:
    """Stop claims without PostgreSQL. The action needs a key."""
    assert action.key, "without a key, the audit might get the pause twice"
    what = (action.target, action.who, action.key, action.arguments, action.correlation_id)
    code = await services.unrecorded_pauses.pause(*what)
    if code in NOT_PAUSED:
        return NOT_PAUSED[code]
    # A second trace, because Redis could be lost before the audit has the record.
    logger.warning(
        "%s paused %s while PostgreSQL is down; the audit gets it later",
        action.who,
        action.target,
        extra={"key": action.key, "arguments": dict(action.arguments)},
    )
    return UnrecordedPause(*what, at=datetime.now(UTC))


async def list_unrecorded(
    services: Services, product_ids: Sequence[str] | None = None
) -> list[UnrecordedPause]:
    """Return the pauses that the audit does not have yet, oldest first.

    Args:
        product_ids: by default all products that were ever on sale.

    """
    ids = await services.stock.list_sales() if product_ids is None else product_ids
    return await services.unrecorded_pauses.list_of(ids)


async def record_pauses(services: Services, product_ids: Sequence[str] | None = None) -> int:
    """Write the pauses that Redis has records of to the audit, once each; return how many.

    Raises:
        DatabaseUnavailable: PostgreSQL is still down. What was not written stays in Redis.
        StockUnavailable: Redis is down.

    """
    found = await list_unrecorded(services, product_ids)
    for pause in found:
        await services.audit.record_late(pause)
        await services.unrecorded_pauses.drop(pause)
    return len(found)
