"""The routes of products and their stock."""

from typing import Any

from fastapi import APIRouter, Response

from flashsale.domain.model import V5, ProductId, Refusal, SoldBy
from flashsale.http.dependencies import Injected
from flashsale.http.errors import refusal_response
from flashsale.http.problems import problems, refusal_problem
from flashsale.http.schemas import ErrorBody, ProductBody, StockBody

_DOWN = {"model": ErrorBody, "description": "A backing service is down; see Retry-After"}
_READING: dict[int | str, dict[str, Any]] = {
    400: {
        "model": ErrorBody,
        "description": "Invalid request",
    },
    404: {"model": ErrorBody, "description": "No such product"},
    503: _DOWN,
}

router = APIRouter()
of_v5 = APIRouter(prefix="/api/v5")
ROUTERS = (of_v5, router)


@router.get("/api/products", responses={503: _DOWN})
async def list_products(services: Injected) -> list[ProductBody]:
    """List all products with their live stock."""
    products = await services.products.list_all()
    in_redis = await services.stock.left([product.id for product in products])
    return [ProductBody.live(*pair) for pair in zip(products, in_redis, strict=True)]


@router.get("/api/products/{product_id}", response_model=ProductBody, responses=_READING)
async def get_product(product_id: ProductId, services: Injected) -> ProductBody | Response:
    """Return one product with its live stock."""
    product = await services.products.get(product_id)
    if product is None:
        return refusal_response(Refusal.NO_SUCH_PRODUCT)
    (in_redis,) = await services.stock.left([product_id])
    return ProductBody.live(product, in_redis)


@of_v5.get(
    "/products/{product_id}/stock",
    response_model=StockBody,
    response_model_exclude_none=True,
    responses=problems(404, 409, 422, 503),
)
async def get_stock(product_id: ProductId, services: Injected) -> StockBody | Response:
    """Return where the units of a sale are, at one instant."""
    snapshot = await services.ledger.snapshot(product_id, count_claims=False)
    if snapshot is None:
        return refusal_problem(Refusal.NO_SUCH_PRODUCT)
    if snapshot.generation not in (None, V5):  # its units are not counted here
        return refusal_problem(SoldBy(product_id, snapshot.generation))
    return StockBody.model_validate(snapshot)
