"""The buy function: the HTTP API of the sale. Follow a purchase from here down.

`api` is the FastAPI application, for any ASGI server; `handler` is the same behind API Gateway.
"""

import os
from typing import Any
from uuid import uuid4

import flashsale.http.lean  # noqa: F401 - before FastAPI, to start sooner

# isort: split
from fastapi import APIRouter, Depends, Request, Response
from fastapi.openapi.docs import get_swagger_ui_html
from pydantic import BaseModel

from flashsale.config import origins
from flashsale.domain.messages import QueuedOrder
from flashsale.domain.model import Accepted, NotSold, ProductId, Purchase, Refusal, SoldBy
from flashsale.generations import v1, v2, v3, v4
from flashsale.http import v5
from flashsale.http.auth import open_without_auth
from flashsale.http.dependencies import Injected
from flashsale.http.document import DocumentedAPI
from flashsale.http.emf import emit
from flashsale.http.errors import RETRY_AFTER, add_error_handlers, refusal_response
from flashsale.http.gateway import behind_gateway
from flashsale.http.guards import add_guards
from flashsale.http.observe import Observe
from flashsale.http.schemas import (
    AcceptedBody,
    BuyRequest,
    ErrorBody,
    HealthBody,
    ProductBody,
    PurchaseBody,
)
from flashsale.runtime.tracing import traced
from flashsale.usecases.health import ask_stores

ERRORS: dict[int | str, dict[str, Any]] = {
    400: {
        "model": ErrorBody,
        "description": "Invalid request, out of stock, not open, or another's",
    },
    404: {"model": ErrorBody, "description": "No such product, or (V1 to V3) no such user"},
    408: {"model": ErrorBody, "description": "The body came too slowly"},
    413: {"model": ErrorBody, "description": "The body is too large"},
    503: {"model": ErrorBody, "description": "A backing service is down; see Retry-After"},
}
# Swagger UI comes from elsewhere, and is started by a line in the page.
DOCS_POLICY = (
    "default-src 'none'; script-src https://cdn.jsdelivr.net 'unsafe-inline'; "
    "style-src https://cdn.jsdelivr.net 'unsafe-inline'; connect-src 'self'; "
    "img-src https://fastapi.tiangolo.com data:; frame-ancestors 'none'"
)
READING: dict[int | str, dict[str, Any]] = {
    400: ERRORS[400],
    404: {"model": ErrorBody, "description": "No such product"},
    503: ERRORS[503],
}

api = DocumentedAPI(
    title="flashsale",
    summary="A flash sale, five generations side by side",
    version="1.0.0",
    redirect_slashes=False,  # the redirect would name the host that the client claims
    docs_url=None,  # see `docs`
    redoc_url=None,
    # Relative, because the API may live below a path prefix (an emulator's, a stage's).
    servers=[{"url": "."}],
    # FastAPI's own OpenTelemetry looks for its providers on every request; nothing here has any.
    telemetry={"tracing": False, "metrics": False, "logs": False},
)
add_error_handlers(api)
add_guards(api, origins(os.environ))
api.include_router(v5.router)
# They believe what a body says of its buyer: for a local stack, not for the internet.
believing = APIRouter(dependencies=[Depends(open_without_auth)])


@believing.post("/api/v1/buy", status_code=201, response_model=PurchaseBody, responses=ERRORS)
async def buy_v1(body: BuyRequest, request: Request, services: Injected) -> Response:
    """Naive read-modify-write. Oversells under load, on purpose."""
    return _answer(request, await v1.buy(services, _order(1, body, request)))


@believing.post("/api/v2/buy", status_code=201, response_model=PurchaseBody, responses=ERRORS)
async def buy_v2(body: BuyRequest, request: Request, services: Injected) -> Response:
    """One atomic SQL transaction."""
    return _answer(request, await v2.buy(services, _order(2, body, request)))


@believing.post("/api/v3/buy", status_code=201, response_model=PurchaseBody, responses=ERRORS)
async def buy_v3(body: BuyRequest, request: Request, services: Injected) -> Response:
    """Redis claim, then a synchronous PostgreSQL write."""
    return _answer(request, await v3.buy(services, _order(3, body, request)))


@believing.post("/api/v4/buy", status_code=202, response_model=AcceptedBody, responses=ERRORS)
async def buy_v4(body: BuyRequest, request: Request, services: Injected) -> Response:
    """Redis claim, then a push to SQS; the order is written later."""
    return _answer(request, await v4.buy(services, _order(4, body, request)))


api.include_router(believing)


def _order(generation: int, body: BuyRequest, request: Request) -> QueuedOrder:
    state = request.state
    order = QueuedOrder(
        id=str(uuid4()),
        product_id=body.product_id,
        user_id=body.user_id,
        generation=generation,
        correlation_id=getattr(state, "correlation_id", ""),
    )
    state.generation, state.order_id = generation, order.id  # for the log line, even if it fails
    return order


def _answer(request: Request, result: Purchase | Accepted | NotSold) -> Response:
    match result:
        case Refusal() | SoldBy():
            request.state.outcome = result.value
            del request.state.order_id  # there is no such order
            return refusal_response(result)
        case Accepted():
            request.state.outcome = "accepted"
            return _json(AcceptedBody(order_id=result.order_id), 202)
        case Purchase():
            request.state.outcome = "accepted"
            return _json(PurchaseBody.model_validate(result), 201)


def _json(body: BaseModel, status: int) -> Response:
    content = body.model_dump_json(by_alias=True)
    return Response(content, status, media_type="application/json")


@api.get("/api/products", responses={503: ERRORS[503]})
async def list_products(services: Injected) -> list[ProductBody]:
    """All products with their live stock."""
    products = await services.products.all()
    in_redis = await services.stock.left([product.id for product in products])
    return [ProductBody.live(*pair) for pair in zip(products, in_redis, strict=True)]


@api.get("/api/products/{product_id}", response_model=ProductBody, responses=READING)
async def get_product(product_id: ProductId, services: Injected) -> ProductBody | Response:
    """One product with its live stock."""
    product = await services.products.get(product_id)
    if product is None:
        return refusal_response(Refusal.NO_SUCH_PRODUCT)
    (in_redis,) = await services.stock.left([product_id])
    return ProductBody.live(product, in_redis)


@api.get("/health", responses={503: {"model": HealthBody}})
async def health(services: Injected, response: Response) -> HealthBody:
    """Which backing services answer and take writes; 503 if one of them does not."""
    up = await ask_stores(services)
    if not all(up.values()):
        response.status_code = 503
        response.headers["Retry-After"] = str(RETRY_AFTER)
    return HealthBody(
        status="ok" if all(up.values()) else "degraded",
        services={name: "up" if answers else "down" for name, answers in up.items()},
    )


@api.get("/docs", include_in_schema=False)
async def docs() -> Response:
    """Swagger UI; the address of the document is relative, see `servers` above."""
    page = get_swagger_ui_html(openapi_url="openapi.json", title="flashsale")
    page.headers["content-security-policy"] = DOCS_POLICY
    return page


handler = traced(os.environ)(behind_gateway(Observe(api, emit)))
