"""The routes of V5. Errors are problem details (RFC 9457)."""

import re
from typing import Annotated, Any

from fastapi import APIRouter, BackgroundTasks, Header, Request, Response

from flashsale.domain.claims import Claim, TooMany
from flashsale.domain.messages import QueuedOrder
from flashsale.domain.model import (
    NO_UNITS_LEFT,
    ORDER_ID,
    V5,
    OrderState,
    ProductId,
    Refusal,
    SoldBy,
    split_order_id,
)
from flashsale.generations import v5
from flashsale.http.auth import Buyer
from flashsale.http.dependencies import Injected
from flashsale.http.problems import problem_response, refusal_problem
from flashsale.http.rate_headers import address_of, rate_headers, too_many
from flashsale.http.schemas import ClaimBody, ClaimRequest, OrderStateBody, ProblemBody, StockBody
from flashsale.http.strict import StrictRoute
from flashsale.usecases.relay import ASGI_PACE, LAMBDA_PACE, lead

# Seconds after which it makes sense to ask how an accepted order stands.
ASK_AGAIN = 1

router = APIRouter(prefix="/api/v5", route_class=StrictRoute)


def _problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    return {status: {"model": ProblemBody} for status in statuses}


@router.post(
    "/buy",
    status_code=202,
    response_model=ClaimBody,
    responses=_problems(401, 403, 404, 408, 409, 413, 422, 429, 503),
)
async def buy(
    body: ClaimRequest,
    buyer: Buyer,
    request: Request,
    background: BackgroundTasks,
    services: Injected,
    idempotency_key: Annotated[str, Header(pattern=r"^[!-+\--~]{0,128}$")] = "",
) -> Response:
    """Claim units: taken from the stock and written into the ledger in one atomic step."""
    state = request.state
    state.generation = 5
    user_id = buyer.user_id if buyer else body.user_id
    if user_id is None:
        state.outcome = "invalid"
        return problem_response(422, "invalid", "userId: Field required")
    if body.user_id not in (None, user_id):
        state.outcome = "forbidden"
        return problem_response(403, "forbidden", "The token is another user's.")
    claim = Claim(
        product_id=body.product_id,
        user_id=user_id,
        quantity=body.quantity,
        idempotency_key=idempotency_key,
        correlation_id=getattr(state, "correlation_id", ""),
        address=address_of(request),
    )
    claimed = await v5.buy(services, claim)
    limits = services.settings.limits
    if isinstance(claimed, TooMany):
        state.outcome = "too_many_requests"
        return too_many(limits, claimed)
    if isinstance(claimed, Refusal | SoldBy):
        state.outcome = claimed.value
        return refusal_problem(claimed)
    state.outcome, state.order_id = "accepted", claimed.order_id
    if claimed.leader:
        pace = LAMBDA_PACE if "aws.event" in request.scope else ASGI_PACE
        background.add_task(lead, services, body.product_id, pace)
    answer = ClaimBody(order_id=claimed.order_id, remaining=claimed.remaining)
    return Response(
        answer.model_dump_json(by_alias=True),
        202,
        {
            # Relative to the request's own address: below a path prefix it must stay there.
            "Location": f"orders/{claimed.order_id}",
            "Retry-After": str(ASK_AGAIN),
            **rate_headers(limits, claimed.allowed),
        },
        media_type="application/json",
    )


@router.get("/orders/{order_id}", response_model=OrderStateBody, responses=_problems(401, 404, 503))
async def get_order(order_id: str, caller: Buyer, services: Injected) -> OrderStateBody | Response:
    """How an order stands: CONFIRMED or CANCELLED in PostgreSQL, else PENDING in the ledger.

    Where buyers need a token, another's order is no order: ids can be guessed.
    """
    if not re.fullmatch(ORDER_ID, order_id):
        return problem_response(404, "not_found", "No such order.")
    # The ledger first: an order that settles in between is then found in PostgreSQL.
    claim = await services.ledger.find(*split_order_id(order_id))
    row = await services.orders.find(order_id)

    def may_see(owner: str | None) -> bool:
        return caller is None or caller.is_admin or caller.user_id == owner

    if claim and may_see(claim.user_id) and not (row and _is_of(row, claim)):
        return OrderStateBody(order_id=order_id, status="PENDING")
    if row and may_see(row.user_id):
        return OrderStateBody(order_id=order_id, status=row.status, reason=_reason(row.reason))
    return problem_response(404, "not_found", "No such order.")


def _is_of(row: OrderState, claim: QueuedOrder) -> bool:
    """Whether the row is this claim's order; an id that two orders have tells nothing of either."""
    return row.user_id in (None, claim.user_id) and row.quantity == claim.quantity


def _reason(reason: str | None) -> str | None:
    """Why an order was cancelled, for its buyer: the row's own words may name hosts and tables."""
    if reason is None:
        return None
    left = reason != NO_UNITS_LEFT
    return "The order could not be completed." if left else "No units were left."


@router.get(
    "/products/{product_id}/stock",
    response_model=StockBody,
    responses=_problems(404, 409, 422, 503),
)
async def get_stock(product_id: ProductId, services: Injected) -> StockBody | Response:
    """Where the units of a sale are, at one instant."""
    snapshot = await services.ledger.glance(product_id)
    if snapshot is None:
        return refusal_problem(Refusal.NO_SUCH_PRODUCT)
    if snapshot.generation not in (None, V5):  # its units are not counted here
        return refusal_problem(SoldBy(product_id, snapshot.generation))
    return StockBody.model_validate(snapshot)
