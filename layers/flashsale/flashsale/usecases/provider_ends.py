"""What the sweep asks the payment provider: to cancel payments whose hold ended, and to refund.

A round is bounded, and one process makes it at a time. After a failure the next one comes a minute
later, so that a provider which is down is not asked again and again. The same is true if the
provider refused all payments of a round. If it refuses only some, they hold up no others, and each
round asks for them again. A person has to look at them: a refund that stays due raises an alarm.
Payments in progress are no failure, and are asked for in each round, too.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from flashsale.deadline import NEVER, Deadline
from flashsale.domain.payments import Payment
from flashsale.errors import PaymentInProgress, ProviderRefused, ProviderUnavailable
from flashsale.redis_store.stock import CANCELLER, REFUNDER
from flashsale.services import Services

logger = logging.getLogger(__name__)

T = TypeVar("T")

# Payments of one round, and those that the provider is asked about at a time.
PER_ROUND, AT_A_TIME = 500, 10
# Failures after which a round ends.
TOO_MANY = 10
# Seconds until the next round after a failure, or after a process died in a round.
REST = 60.0


@dataclass(frozen=True, slots=True)
class Attempts:
    """Begun payments that were not cancelled when their hold had ended.

    Attributes:
        paid: those that had succeeded already.
        in_progress: the ids of those that are being made.

    """

    paid: Sequence[Payment] = ()
    in_progress: list[str] = field(default_factory=list)


async def cancel_attempts(
    services: Services, product_ids: Sequence[str] | None = None, deadline: Deadline = NEVER
) -> Attempts:
    """Cancel begun payments whose hold has ended, so that it may expire.

    The caller applies those that have succeeded, and then forgets these attempts. Those that are in
    progress are asked about again in the next round.
    """
    provider = services.provider
    if provider is None or not await services.stock.take_turn(CANCELLER, REST):
        return Attempts()
    after, in_progress = services.settings.hold_grace, list[str]()

    async def cancel(id_: str) -> Payment | None:
        try:
            return await provider.cancel(id_)
        except PaymentInProgress:
            in_progress.append(id_)
            return None

    ids = await services.payment_attempts.list_open(product_ids, after, PER_ROUND)
    answers, may_go_on = await _ask("cancelled", cancel, ids, deadline)
    gone = [id_ for id_, paid in answers.items() if paid is None and id_ not in in_progress]
    await services.payment_attempts.forget(gone)
    if may_go_on:
        await services.stock.end_turn(CANCELLER)
    return Attempts([paid for paid in answers.values() if paid], in_progress)


async def refund_payments(services: Services, deadline: Deadline = NEVER) -> int:
    """Refund payments that are to be refunded; return how many were.

    A process that dies before PostgreSQL has noted a refund repeats it, which has no effect then.
    Payments without an id of the provider are left to a person.
    """
    provider = services.provider
    if provider is None or not await services.stock.take_turn(REFUNDER, REST):
        return 0
    ids = await services.payments.list_refunds_due(PER_ROUND)
    answers, may_go_on = await _ask("refunded", provider.refund, ids, deadline)
    for id_ in answers:
        async with services.database.transaction() as connection:
            await services.payments.mark_refunded(connection, id_)
    if may_go_on:
        await services.stock.end_turn(REFUNDER)
    return len(answers)


async def _ask(
    what: str, call: Callable[[str], Awaitable[T]], ids: Sequence[str], deadline: Deadline
) -> tuple[dict[str, T], bool]:
    """Make the call for each payment, until the deadline.

    Return the answers, and whether the next round may begin at once.
    """
    answers: dict[str, T] = {}
    waiting, failed, refused = iter(ids), 0, 0

    async def work() -> None:
        nonlocal failed, refused
        for id_ in waiting:
            try:
                answers[id_] = await call(id_)
            except ProviderUnavailable as error:
                if isinstance(error, ProviderRefused):
                    refused += 1
                else:
                    failed += 1
                logger.warning("payment %s is not %s yet: %s", id_, what, error)
            if deadline.near or failed >= TOO_MANY:
                return

    await asyncio.gather(*(work() for _ in range(AT_A_TIME)))
    return answers, not failed and (bool(answers) or not refused)
