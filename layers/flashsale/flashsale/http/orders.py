"""The status of an order: the routes that the `Location` of a 202 names.

CONFIRMED and CANCELLED are what PostgreSQL says. PENDING is a claim of V5 in the ledger, or an
order of V4 whose message has failed and will be delivered again.
"""

import re

from fastapi import APIRouter, Depends, Response

from flashsale.auth.principal import Principal
from flashsale.domain.messages import QueuedOrder
from flashsale.domain.model import NO_UNITS_LEFT, ORDER_ID, OrderRow, split_order_id
from flashsale.http.auth import Buyer, open_without_auth
from flashsale.http.dependencies import Injected
from flashsale.http.errors import error_response
from flashsale.http.problems import problem_response, problems
from flashsale.http.schemas import ErrorBody, OrderStateBody
from flashsale.services import Services

# Seconds after which it makes sense to ask for the status of an accepted order.
ASK_AGAIN = 1

_NOT_WRITTEN = (
    "No such order is written. An order of V4 is written some time after its 202: ask again."
)

trusting = APIRouter(dependencies=[Depends(open_without_auth)])
of_v5 = APIRouter(prefix="/api/v5")
ROUTERS = (of_v5, trusting)


@of_v5.get(
    "/orders/{order_id}",
    name="get_order",
    response_model=OrderStateBody,
    responses=problems(401, 404, 503),
)
async def get_v5_order(
    order_id: str, buyer: Buyer, services: Injected
) -> OrderStateBody | Response:
    """Return the status of an order: CONFIRMED or CANCELLED in PostgreSQL, else PENDING.

    An order is PENDING while its claim is in the ledger. Where buyers need a token, the order of
    another buyer is answered as an unknown one, because ids can be guessed.
    """
    known = re.fullmatch(ORDER_ID, order_id)
    state = await _state_on_ledger(services, order_id, buyer) if known else None
    return state or problem_response(404, "not_found", "No such order.")


@trusting.get(
    "/api/orders/{order_id}",
    response_model=OrderStateBody,
    responses={
        404: {"model": ErrorBody, "description": "No such order is written; ask again"},
        503: {"model": ErrorBody, "description": "A backing service is down; see Retry-After"},
    },
)
async def get_order(order_id: str, services: Injected) -> OrderStateBody | Response:
    """Return the status of an order: CONFIRMED, CANCELLED, or PENDING where that is known.

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


async def _state_in_queue(services: Services, order_id: str) -> OrderStateBody | None:
    if row := await services.orders.get(order_id):
        return _body(order_id, row)
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

    if claim and may_see(claim.user_id) and not (row and _is_of(row, claim)):
        return OrderStateBody(order_id=order_id, status="PENDING")
    return _body(order_id, row) if row and may_see(row.user_id) else None


def _is_of(row: OrderRow, claim: QueuedOrder) -> bool:
    """Return whether the row is this claim's order.

    An id that two orders have tells nothing of either.
    """
    return row.user_id in (None, claim.user_id) and row.quantity == claim.quantity


def _body(order_id: str, row: OrderRow) -> OrderStateBody:
    return OrderStateBody(order_id=order_id, status=row.status, reason=_reason(row.reason))


def _reason(reason: str | None) -> str | None:
    """Return why an order was cancelled, in words for its buyer.

    The row's own words may name hosts and tables.
    """
    if reason is None:
        return None
    left = reason != NO_UNITS_LEFT
    return "The order could not be completed." if left else "No units were left."
