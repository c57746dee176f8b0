"""The routes of V5. Errors are problem details (RFC 9457)."""

from typing import Annotated, Any

from fastapi import APIRouter, BackgroundTasks, Header, Request, Response

from flashsale.generations import v5
from flashsale.http.dependencies import Injected
from flashsale.http.problems import problem_response, refusal_problem
from flashsale.http.schemas import (
    ClaimBody,
    ClaimRequest,
    OrderStateBody,
    ProblemBody,
    StockBody,
)
from flashsale.model import Claim, ProductId, Refusal
from flashsale.relay import ASGI_PACE, LAMBDA_PACE, lead

# Seconds after which it makes sense to ask how an accepted order stands.
ASK_AGAIN = 1

router = APIRouter(prefix="/api/v5")


def _problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    return {status: {"model": ProblemBody} for status in statuses}


@router.post(
    "/buy",
    status_code=202,
    response_model=ClaimBody,
    responses=_problems(404, 409, 422, 503),
)
async def buy(
    body: ClaimRequest,
    request: Request,
    background: BackgroundTasks,
    services: Injected,
    idempotency_key: Annotated[str, Header(pattern=r"^[!-~]{0,128}$")] = "",
) -> Response:
    """Claim units: taken from the stock and written into the ledger in one atomic step."""
    state = request.state
    state.generation = 5
    claim = Claim(
        product_id=body.product_id,
        user_id=body.user_id,
        quantity=body.quantity,
        idempotency_key=idempotency_key,
        correlation_id=getattr(state, "correlation_id", ""),
    )
    claimed = await v5.buy(services, claim)
    if isinstance(claimed, Refusal):
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
        {"Location": f"/api/v5/orders/{claimed.order_id}", "Retry-After": str(ASK_AGAIN)},
        media_type="application/json",
    )


@router.get("/orders/{order_id}", response_model=OrderStateBody, responses=_problems(404, 503))
async def get_order(order_id: str, services: Injected) -> OrderStateBody | Response:
    """How an order stands: CONFIRMED or CANCELLED in PostgreSQL, else PENDING in the ledger."""
    product_id, _, entry_id = order_id.rpartition(":")
    # The ledger first: an order that settles in between is then found in PostgreSQL.
    pending = bool(product_id) and await services.ledger.has(product_id, entry_id)
    row = await services.orders.find(order_id)
    if row:
        return OrderStateBody(order_id=order_id, status=row.status, reason=row.reason)
    if pending:
        return OrderStateBody(order_id=order_id, status="PENDING")
    return problem_response(404, "not_found", "No such order.")


@router.get(
    "/products/{product_id}/stock",
    response_model=StockBody,
    responses=_problems(404, 422, 503),
)
async def get_stock(product_id: ProductId, services: Injected) -> StockBody | Response:
    """Where the units of a sale are, at one instant."""
    snapshot = await services.ledger.snapshot(product_id)
    if snapshot is None:
        return refusal_problem(Refusal.NO_SUCH_PRODUCT)
    return StockBody.model_validate(snapshot)
