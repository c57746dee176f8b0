"""The buy routes of all generations: from an HTTP request to a use of `flashsale.generations`.

V1 to V4 answer as the original system does, an error as an `ErrorBody`. Errors of V5 are problem
details (RFC 9457).
"""

from typing import Annotated, Any
from uuid import uuid4

from fastapi import APIRouter, Depends, Header, Request, Response
from pydantic import BaseModel
from starlette.background import BackgroundTask

from flashsale.domain.claims import Claim, RateLimited
from flashsale.domain.messages import QueuedOrder
from flashsale.domain.model import NotSold, Refusal, SoldBy
from flashsale.domain.purchases import Accepted, Purchase
from flashsale.generations import v1, v2, v3, v4, v5
from flashsale.http.auth import Buyer, open_without_auth
from flashsale.http.dependencies import Injected
from flashsale.http.direct import DirectRoute, StrictDirectRoute
from flashsale.http.errors import refusal_response
from flashsale.http.orders import ASK_AGAIN
from flashsale.http.problems import problem_response, problems, refusal_problem
from flashsale.http.rate_headers import address_of, rate_headers, too_many
from flashsale.http.request_log import log_of
from flashsale.http.room_schemas import TOKEN
from flashsale.http.schemas import (
    AcceptedBody,
    BuyRequest,
    ClaimBody,
    ClaimRequest,
    ErrorBody,
    PurchaseBody,
)
from flashsale.usecases.relay import ASGI_PACE, LAMBDA_PACE, lead

ERRORS: dict[int | str, dict[str, Any]] = {
    400: {
        "model": ErrorBody,
        "description": "Invalid request, out of stock, not open, or sold by another generation",
    },
    404: {"model": ErrorBody, "description": "No such product, or (V1 to V3) no such user"},
    408: {"model": ErrorBody, "description": "The body came too slowly"},
    413: {"model": ErrorBody, "description": "The body is too large"},
    503: {"model": ErrorBody, "description": "A backing service is down; see Retry-After"},
}

# V1 to V4 trust what a body says of its buyer: they are for a local stack, not for the internet.
trusting = APIRouter(dependencies=[Depends(open_without_auth)], route_class=DirectRoute)
claims = APIRouter(prefix="/api/v5", route_class=StrictDirectRoute)
ROUTERS = (claims, trusting)


@trusting.post("/api/v1/buy", status_code=201, response_model=PurchaseBody, responses=ERRORS)
async def buy_v1(body: BuyRequest, request: Request, services: Injected) -> Response:
    """Buy by a naive read-modify-write. Oversells under load, on purpose."""
    order = _order(1, body, request)
    return _answer(request, await v1.buy(services, order))


@trusting.post("/api/v2/buy", status_code=201, response_model=PurchaseBody, responses=ERRORS)
async def buy_v2(body: BuyRequest, request: Request, services: Injected) -> Response:
    """Buy by one atomic SQL transaction."""
    order = _order(2, body, request)
    return _answer(request, await v2.buy(services, order))


@trusting.post("/api/v3/buy", status_code=201, response_model=PurchaseBody, responses=ERRORS)
async def buy_v3(body: BuyRequest, request: Request, services: Injected) -> Response:
    """Claim a unit in Redis, then write the order to PostgreSQL while the buyer waits."""
    order = _order(3, body, request)
    return _answer(request, await v3.buy(services, order))


@trusting.post("/api/v4/buy", status_code=202, response_model=AcceptedBody, responses=ERRORS)
async def buy_v4(body: BuyRequest, request: Request, services: Injected) -> Response:
    """Claim a unit in Redis, then push the order to SQS. The order is written later."""
    order = _order(4, body, request)
    return _answer(request, await v4.buy(services, order))


@claims.post(
    "/buy",
    name="buy",
    status_code=202,
    response_model=ClaimBody,
    responses=problems(401, 403, 404, 408, 409, 413, 422, 429, 503),
)
async def buy_v5(
    body: ClaimRequest,
    buyer: Buyer,
    request: Request,
    services: Injected,
    idempotency_key: Annotated[str, Header(pattern=r"^[!-+\--~]{0,128}$")] = "",
    admission: Annotated[str, Header(pattern=TOKEN)] = "",
) -> Response:
    """Claim units: take them from the stock and write the claim down, in one atomic step.

    A product with a waiting room needs the `Admission` that the room gave to this buyer.
    """
    log = log_of(request.scope)
    log.generation = 5
    user_id = buyer.user_id if buyer else body.user_id
    if user_id is None:
        log.outcome = "invalid"
        return problem_response(422, "invalid", "userId: Field required")
    if body.user_id not in (None, user_id):
        log.outcome = "forbidden"
        return problem_response(403, "forbidden", "The token is another user's.")
    claim = Claim(
        product_id=body.product_id,
        user_id=user_id,
        quantity=body.quantity,
        idempotency_key=idempotency_key,
        correlation_id=log.correlation_id,
        address=address_of(request),
        admission=admission,
    )
    claimed = await v5.buy(services, claim)
    limits = services.settings.rate_limits
    if isinstance(claimed, RateLimited):
        log.outcome = "too_many_requests"
        return too_many(limits, claimed)
    if isinstance(claimed, Refusal | SoldBy):
        log.outcome = claimed.value
        return refusal_problem(claimed)
    log.outcome, log.order_id = "accepted", claimed.order_id
    body_of = ClaimBody(order_id=claimed.order_id, remaining=claimed.remaining)
    place = f"orders/{claimed.order_id}"
    answer = _accepted(body_of, place, rate_headers(limits, claimed.allowed))
    if claimed.leader:
        pace = LAMBDA_PACE if "aws.event" in request.scope else ASGI_PACE
        answer.background = BackgroundTask(lead, services, body.product_id, pace)
    return answer


def _order(generation: int, body: BuyRequest, request: Request) -> QueuedOrder:
    log = log_of(request.scope)
    order = QueuedOrder(
        id=str(uuid4()),
        product_id=body.product_id,
        user_id=body.user_id,
        generation=generation,
        correlation_id=log.correlation_id,
    )
    log.generation, log.order_id = generation, order.id  # for the log line, even if it fails
    return order


def _answer(request: Request, result: Purchase | Accepted | NotSold) -> Response:
    log = log_of(request.scope)
    match result:
        case Refusal() | SoldBy():
            log.outcome, log.order_id = result.value, None  # there is no such order
            return refusal_response(result)
        case Accepted():
            log.outcome = "accepted"
            body = AcceptedBody(order_id=result.order_id)
            return _accepted(body, f"../orders/{result.order_id}", {})
        case Purchase():
            log.outcome = "accepted"
            return _json(PurchaseBody.model_validate(result), 201)


def _accepted(body: BaseModel, place: str, headers: dict[str, str]) -> Response:
    # The place is relative to the request's own address: below a path prefix it must stay there.
    return _json(body, 202, {"Location": place, "Retry-After": str(ASK_AGAIN), **headers})


def _json(body: BaseModel, status: int, headers: dict[str, str] | None = None) -> Response:
    content = body.model_dump_json(by_alias=True)
    return Response(content, status, headers, media_type="application/json")
