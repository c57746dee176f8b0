"""The status of an order: the routes that the `Location` of a 202 names.

PENDING is a claim of V5 in the ledger, or an order of V4 whose message has failed and will be
delivered again. Every other status is what PostgreSQL says.
"""

import re

from fastapi import APIRouter, Depends, Response

from flashsale.auth.principal import Principal
from flashsale.domain.messages import QueuedOrder
from flashsale.domain.model import (
    NO_UNITS_LEFT,
    ORDER_ID,
    OrderRow,
    OrderStatus,
    split_order_id,
)
from flashsale.http.auth import Buyer, open_without_auth
from flashsale.http.dependencies import Injected
from flashsale.http.errors import error_response
from flashsale.http.problems import problem_response, problems
from flashsale.http.schemas import ErrorBody, OrderStateBody, PayableOrderBody
from flashsale.services import Services
from flashsale.usecases.cancellation import BUYERS_WISH, cancel_reserved

# Seconds after which it makes sense to ask for the status of an accepted order.
ASK_AGAIN = 1

_NOT_WRITTEN = (
    "No such order is written. An order of V4 is written some time after its 202: ask again."
)

_REASONS = {
    NO_UNITS_LEFT: "No units were left.",
    BUYERS_WISH: "The order was cancelled by its buyer.",
}

trusting = APIRouter(dependencies=[Depends(open_without_auth)])
of_v5 = APIRouter(prefix="/api/v5")
ROUTERS = (of_v5, trusting)


@of_v5.get(
    "/orders/{order_id}",
    name="get_order",
    response_model=PayableOrderBody | OrderStateBody,
    responses=problems(401, 404, 503),
)
async def get_v5_order(
    order_id: str, buyer: Buyer, services: Injected
) -> OrderStateBody | Response:
    """Return the status of an order: what PostgreSQL says, else PENDING.

    An order is PENDING while its claim is in the ledger. It is RESERVED while its buyer may pay,
    where the product has a payment hold. Where buyers need a token, the order of
    another buyer is answered as an unknown one, because ids can be guessed.
    """
    return await v5_state(services, order_id, buyer) or no_such_order()


@of_v5.post(
    "/orders/{order_id}/cancel",
    response_model=PayableOrderBody | OrderStateBody,
    responses=problems(401, 404, 409, 503),
)
async def cancel_v5_order(
    order_id: str, buyer: Buyer, services: Injected
) -> OrderStateBody | Response:
    """Cancel a RESERVED order for its buyer. Its units can be bought again at once.

    The client may repeat the request. Every order that this buyer did not cancel and that is not
    RESERVED is answered by 409. Where buyers need a token, the order of another buyer is answered
    as an unknown one, also for admins, who cancel by the admin API.
    """
    found: OrderRow | QueuedOrder | None = None
    if re.fullmatch(ORDER_ID, order_id):
        found = await cancel_reserved(services, order_id, buyer.user_id if buyer else None)
    match found:
        case None:
            return no_such_order()
        case QueuedOrder():
            again = "The order is PENDING; try again once it is RESERVED."
            return problem_response(409, "not_cancellable", again)
        case OrderRow(status=OrderStatus.CANCELLED, reason=reason) if reason == BUYERS_WISH:
            return order_body(found)
    now = f"The order is {found.status}; only a RESERVED order can be cancelled."
    return problem_response(409, "not_cancellable", now)


@trusting.get(
    "/api/orders/{order_id}",
    response_model=PayableOrderBody | OrderStateBody,
    responses={
        404: {"model": ErrorBody, "description": "No such order is written; ask again"},
        503: {"model": ErrorBody, "description": "A backing service is down; see Retry-After"},
    },
)
async def get_order(order_id: str, services: Injected) -> OrderStateBody | Response:
    """Return the status of an order: what PostgreSQL says, or PENDING where that is known.

    An order of V4 whose message was not read yet is in the queue only, which cannot be searched.
    Then the answer is 404, and the client asks again.
    """
    state = None
    if re.fullmatch(ORDER_ID, order_id):
        product_id, _ = split_order_id(order_id)
        state = await (
            _state_on_ledger(services, order_id, None)
            if product_id
            else _state_in_queue(services, order_id)
        )
    return state or error_response(404, _NOT_WRITTEN)


async def v5_state(
    services: Services, order_id: str, buyer: Principal | None
) -> OrderStateBody | None:
    """Return the status of an order of V5; None if this buyer may not see it, or there is none.

    Raises:
        StockUnavailable, DatabaseUnavailable: a store does not answer.

    """
    if not re.fullmatch(ORDER_ID, order_id):
        return None
    return await _state_on_ledger(services, order_id, buyer)


def no_such_order() -> Response:
    """Return the answer of V5 to a request for an unknown order, or for that of another buyer."""
    return problem_response(404, "not_found", "No such order.")


async def _state_in_queue(services: Services, order_id: str) -> OrderStateBody | None:
    if row := await services.orders.get(order_id):
        return order_body(row)
    # A message that has failed is delivered again, or rolled back. In the end there is a row.
    if await services.failures.causes([order_id]):
        return OrderStateBody(order_id=order_id, status="PENDING")
    return None


async def _state_on_ledger(
    services: Services, order_id: str, buyer: Principal | None
) -> OrderStateBody | None:
    # The ledger first: an order that settles in between is then found in PostgreSQL.
    claim = await services.ledger.get(*split_order_id(order_id))
    row = await services.orders.get(order_id)

    def may_see(owner: str | None) -> bool:
        return buyer is None or buyer.is_admin or buyer.user_id == owner

    if claim and may_see(claim.user_id) and not (row and claim.is_row(row)):
        return OrderStateBody(order_id=order_id, status="PENDING")
    return order_body(row) if row and may_see(row.user_id) else None


def order_body(row: OrderRow) -> OrderStateBody:
    """Describe a written order to its buyer."""
    state = OrderStateBody(order_id=row.id, status=row.status, reason=_reason(row))
    if row.expires_at is None or row.amount is None or row.currency is None:
        return state
    return PayableOrderBody(
        **state.model_dump(),
        expires_at=row.expires_at,
        amount=float(row.amount),
        currency=row.currency,
    )


def _reason(row: OrderRow) -> str | None:
    """Return why an order was cancelled or expired, in words for its buyer.

    The row's own words may name hosts and tables.
    """
    if row.reason is None:
        return None
    if row.status is OrderStatus.EXPIRED:
        return "The order was not paid in time."
    return _REASONS.get(row.reason, "The order could not be completed.")
