"""Use case of a buyer who begins to pay: a payment at the provider, noted in the order's row."""

import logging
from decimal import Decimal

from flashsale.domain.amounts import to_minor
from flashsale.domain.model import OrderStatus, split_order_id
from flashsale.domain.payment_attempts import CannotBegin, NotPayable, PaymentBegun
from flashsale.errors import ProviderUnavailable
from flashsale.provider.port import PaymentProvider
from flashsale.services import Services

logger = logging.getLogger(__name__)

# Seconds before the end of a hold in which no payment begins any more: nobody pays so fast.
LEAST_TIME = 10.0


async def begin_payment(
    services: Services, order_id: str, user_id: str | None
) -> PaymentBegun | NotPayable | CannotBegin:
    """Begin the payment of a RESERVED order, or return the one that was begun before.

    The payment is noted in PostgreSQL before its buyer hears of it. So the sweep can cancel it.

    Args:
        user_id: the buyer; None where buyers need no token.

    """
    order = await services.payment_attempts.get_payable(order_id)
    if order is None or user_id not in (None, order.user_id):
        return await _without_order(services, order_id, user_id)
    if order.status is not OrderStatus.RESERVED:
        return NotPayable(order.status)
    if services.provider is None:
        return CannotBegin.NO_PROVIDER
    # A constraint of the table: a RESERVED order has them.
    assert order.amount is not None and order.currency and order.expires_at  # noqa: PT018
    if reason := _why_not(order.amount, order.currency, order.seconds_left or 0.0):
        return reason
    intent = await services.provider.create(order_id, order.amount, order.currency)
    if await services.payment_attempts.begin(order_id, intent.id):
        return PaymentBegun(intent.id, intent.client_secret, order.expires_at)
    await _cancel(services.provider, intent.id)
    ended = await services.payment_attempts.get_payable(order_id)
    assert ended, "orders are never deleted"
    return NotPayable(ended.status)


def _why_not(amount: Decimal, currency: str, seconds_left: float) -> CannotBegin | None:
    """Return why an order cannot be paid: its amount, or its time; None if it can.

    No amount of new products has a part of a minor unit.
    """
    try:
        payable = to_minor(amount, currency) > 0
    except ValueError:
        payable = False
    if not payable:
        return CannotBegin.AMOUNT
    return CannotBegin.HOLD_EXPIRING if seconds_left < LEAST_TIME else None


async def _without_order(
    services: Services, order_id: str, user_id: str | None
) -> NotPayable | CannotBegin:
    """Tell a buyer whose order is not written yet from one who has no such order."""
    claim = await services.ledger.get(*split_order_id(order_id))
    if claim and user_id in (None, claim.user_id):
        return NotPayable("PENDING")
    return CannotBegin.NO_SUCH_ORDER


async def _cancel(provider: PaymentProvider, payment_id: str) -> None:
    """Cancel the payment of an order that ended meanwhile. If it fails, a payment is refunded."""
    try:
        await provider.cancel(payment_id)
    except ProviderUnavailable as error:
        logger.warning("payment %s of an order that ended stays open: %s", payment_id, error)
