"""The routes of the admin API. Each needs a token with the scope `flashsale/admin`.

A client may repeat every POST. With an Idempotency-Key, one that has ended has no second effect.
"""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from flashsale.domain.model import Declined, ProductId
from flashsale.domain.pauses import UnrecordedPause
from flashsale.domain.payments import Decision
from flashsale.domain.waiting import ANYTHING
from flashsale.http.admin_bodies import Nothing
from flashsale.http.admin_request import Asked, RequiredKey
from flashsale.http.admin_schemas import (
    AllBooksBody,
    AuditBody,
    AuditEntryBody,
    BooksBody,
    Cancellation,
    NewProduct,
    PaymentBody,
    PaymentsBody,
    Restock,
    SaleBody,
    TermsBody,
)
from flashsale.http.auth import Admin
from flashsale.http.dependencies import Injected
from flashsale.http.problems import declined_problem, problems
from flashsale.http.schemas import OrderStateBody, ProductBody
from flashsale.http.strict import StrictRoute
from flashsale.services import Services
from flashsale.usecases import admin
from flashsale.usecases.books import read_books
from flashsale.usecases.health import messages_waiting

router = APIRouter(
    prefix="/api/admin",
    route_class=StrictRoute,
    responses=problems(401, 403, 404, 408, 409, 413, 422, 503),
)

OrderId = Annotated[str, Path(pattern=r"^[!-~]{1,128}$")]
PaymentId = Annotated[str, Path(pattern=r"^[!-~]{1,255}$")]


@router.post("/products", status_code=201, response_model=ProductBody)
async def create_product(body: NewProduct, asked: Asked) -> ProductBody | Response:
    """Add a product. It is not on sale until its sale is opened."""
    action = asked.to("create", body.id, body.model_dump(mode="json", by_alias=True))
    declined = await admin.create_product(
        asked.services, action, body.name, body.price, body.currency, body.stock
    )
    if declined:
        return declined_problem(declined)
    return ProductBody.model_validate(await asked.services.products.get(body.id))


@router.post("/products/{product_id}/open", response_model=SaleBody)
async def open_sale(
    product_id: ProductId, asked: Asked, body: TermsBody | None = None
) -> SaleBody | Response:
    """Put the units that PostgreSQL has of a product on sale."""
    body = body or TermsBody()
    action = asked.to("open", product_id, body.model_dump(mode="json", by_alias=True))
    declined = await admin.open_sale(asked.services, action, body.terms())
    return await _sale(asked.services, product_id, declined)


@router.post(
    "/products/{product_id}/pause", response_model=SaleBody, responses={202: {"model": SaleBody}}
)
async def pause_sale(
    product_id: ProductId, asked: Asked, response: Response, body: Nothing | None = None
) -> SaleBody | Response:
    """Refuse claims until the sale is resumed. Claims that were made become orders.

    While PostgreSQL is down, the sale is paused all the same. The answer is 202, and the audit gets
    the action when PostgreSQL is back.
    """
    result = await admin.pause_sale(asked.services, asked.to("pause", product_id))
    if isinstance(result, UnrecordedPause):
        response.status_code, result = 202, None
    return await _sale(asked.services, product_id, result)


@router.post("/products/{product_id}/resume", response_model=SaleBody)
async def resume_sale(
    product_id: ProductId, asked: Asked, body: Nothing | None = None
) -> SaleBody | Response:
    """Resume a paused sale."""
    declined = await admin.resume_sale(asked.services, asked.to("resume", product_id))
    return await _sale(asked.services, product_id, declined)


@router.post("/products/{product_id}/end", response_model=SaleBody)
async def end_sale(
    product_id: ProductId, asked: Asked, body: Nothing | None = None
) -> SaleBody | Response:
    """Refuse claims for good. Once the sale is drained, a new one can sell the units left."""
    declined = await admin.end_sale(asked.services, asked.to("end", product_id))
    return await _sale(asked.services, product_id, declined)


@router.post("/products/{product_id}/restock", response_model=SaleBody)
async def restock(
    product_id: ProductId, body: Restock, asked: Asked, idempotency_key: RequiredKey
) -> SaleBody | Response:
    """Add units to the product, and to its sale if there is one. Needs an Idempotency-Key."""
    action = asked.to("restock", product_id, body.model_dump())
    declined = await admin.restock(asked.services, action, body.units)
    return await _sale(asked.services, product_id, declined)


@router.post("/orders/{order_id}/cancel", response_model=OrderStateBody)
async def cancel_order(
    order_id: OrderId, body: Cancellation, asked: Asked
) -> OrderStateBody | Response:
    """Cancel an order, even one that is CONFIRMED. Its units can be bought again.

    An order of V4 that is still in the queue cannot be cancelled yet. The answer is 404.
    """
    action = asked.to("cancel", order_id, body.model_dump())
    declined = await admin.cancel_order(asked.services, action, body.reason)
    row = None if declined else await asked.services.orders.get(order_id)
    if row is None:
        return declined_problem(declined or Declined.NO_SUCH_ORDER)
    return OrderStateBody(order_id=order_id, status=row.status, reason=row.reason)


@router.get("/products/{product_id}/books", response_model=BooksBody)
async def get_books(
    product_id: ProductId, principal: Admin, services: Injected
) -> BooksBody | Response:
    """Return where every unit of a product is."""
    found = await _books(services, [product_id])
    return found[0] if found else declined_problem(Declined.NO_SUCH_PRODUCT)


@router.get("/books")
async def get_all_books(principal: Admin, services: Injected) -> AllBooksBody:
    """Return where every unit of all products is."""
    return AllBooksBody(products=await _books(services, None))


@router.get("/audit")
async def get_audit(
    principal: Admin, services: Injected, limit: Annotated[int, Query(ge=1, le=500)] = 50
) -> AuditBody:
    """List the actions of admins, newest first.

    An action that stays `begun` died on its way. Repeat it, with its Idempotency-Key if it had one.
    Without a key the repetition is another action, and this one stays as it is.
    """
    entries = await services.audit.list_latest(limit)
    return AuditBody(actions=[AuditEntryBody.model_validate(entry) for entry in entries])


@router.get("/payments")
async def get_payments(
    principal: Admin,
    services: Injected,
    decision: Decision | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> PaymentsBody:
    """List payments, newest first: all, or those with this decision."""
    rows = await services.payments.list_latest(decision, limit)
    return PaymentsBody(payments=[PaymentBody.model_validate(row) for row in rows])


@router.post("/payments/{payment_id}/refunded", response_model=PaymentBody)
async def record_refund(
    payment_id: PaymentId, asked: Asked, body: Nothing | None = None
) -> PaymentBody | Response:
    """Record that a payment was refunded at the provider. This route itself moves no money."""
    declined = await admin.record_refund(asked.services, asked.to("refunded", payment_id))
    if declined:
        return declined_problem(declined)
    return PaymentBody.model_validate(await asked.services.payments.get(payment_id))


async def _sale(
    services: Services, product_id: str, declined: Declined | None
) -> SaleBody | Response:
    if declined:
        return declined_problem(declined)
    return SaleBody.of(product_id, await services.ledger.snapshot(product_id, count_claims=True))


async def _books(services: Services, product_ids: list[str] | None) -> list[BooksBody]:
    waiting = await messages_waiting(services)
    rows = await read_books(services, product_ids, waiting)
    messages = None if waiting is ANYTHING else waiting.unread
    return [BooksBody.model_validate({**row.figures(), "waiting": messages}) for row in rows]
