"""The routes of the admin API. Each needs a token with the scope `flashsale/admin`.

Every POST may be repeated; with an Idempotency-Key one that has ended does nothing a second time.
"""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response

from flashsale.domain.model import Declined, ProductId
from flashsale.domain.waiting import ANYTHING
from flashsale.http.admin_schemas import (
    AllBooksBody,
    AuditBody,
    AuditEntryBody,
    BooksBody,
    Cancellation,
    NewProduct,
    Nothing,
    Restock,
    SaleBody,
    TermsBody,
)
from flashsale.http.auth import Admin
from flashsale.http.dependencies import Injected
from flashsale.http.problems import declined_problem
from flashsale.http.schemas import OrderStateBody, ProblemBody, ProductBody
from flashsale.http.strict import StrictRoute
from flashsale.postgres_store.audit import Action
from flashsale.services import Services
from flashsale.usecases import admin
from flashsale.usecases.books import read_books
from flashsale.usecases.health import messages_waiting

router = APIRouter(
    prefix="/api/admin",
    route_class=StrictRoute,
    responses={
        status: {"model": ProblemBody} for status in (401, 403, 404, 408, 409, 413, 422, 503)
    },
)

OrderId = Annotated[str, Path(pattern=r"^[!-~]{1,128}$")]


class _Asked:
    """Who asks, and how to know the request again."""

    def __init__(
        self,
        request: Request,
        caller: Admin,
        services: Injected,
        idempotency_key: Annotated[str, Header(pattern=r"^[!-+\--~]{0,128}$")] = "",
    ) -> None:
        self.services: Services = services
        self._who = caller.user_id
        self._correlation_id = getattr(request.state, "correlation_id", "")
        self._key = idempotency_key

    def to(self, name: str, target: str, arguments: Mapping[str, object] | None = None) -> Action:
        """What he asks for."""
        return Action(self._who, name, target, arguments or {}, self._correlation_id, self._key)


Asked = Annotated[_Asked, Depends()]
RequiredKey = Annotated[str, Header(alias="Idempotency-Key", pattern=r"^[!-+\--~]{1,128}$")]


@router.post("/products", status_code=201, response_model=ProductBody)
async def create_product(body: NewProduct, asked: Asked) -> ProductBody | Response:
    """Add a product. It is not on sale before it is opened."""
    action = asked.to("create", body.id, body.model_dump(mode="json", by_alias=True))
    declined = await admin.create_product(asked.services, action, body.name, body.price, body.stock)
    if declined:
        return declined_problem(declined)
    return ProductBody.model_validate(await asked.services.products.get(body.id))


@router.post("/products/{product_id}/open", response_model=SaleBody)
async def open_sale(
    product_id: ProductId, asked: Asked, body: TermsBody | None = None
) -> SaleBody | Response:
    """Put what PostgreSQL has of a product on sale."""
    body = body or TermsBody()
    action = asked.to("open", product_id, body.model_dump(mode="json", by_alias=True))
    declined = await admin.open_sale(asked.services, action, body.terms())
    return await _sale(asked.services, product_id, declined)


@router.post("/products/{product_id}/pause", response_model=SaleBody)
async def pause_sale(
    product_id: ProductId, asked: Asked, body: Nothing | None = None
) -> SaleBody | Response:
    """Let nobody claim until the sale is resumed. Claims that were made become orders."""
    declined = await admin.pause_sale(asked.services, asked.to("pause", product_id))
    return await _sale(asked.services, product_id, declined)


@router.post("/products/{product_id}/resume", response_model=SaleBody)
async def resume_sale(
    product_id: ProductId, asked: Asked, body: Nothing | None = None
) -> SaleBody | Response:
    """Go on with a paused sale."""
    declined = await admin.resume_sale(asked.services, asked.to("resume", product_id))
    return await _sale(asked.services, product_id, declined)


@router.post("/products/{product_id}/end", response_model=SaleBody)
async def end_sale(
    product_id: ProductId, asked: Asked, body: Nothing | None = None
) -> SaleBody | Response:
    """Let nobody claim any more. Once it is drained, what is left can be opened as a new sale."""
    declined = await admin.end_sale(asked.services, asked.to("end", product_id))
    return await _sale(asked.services, product_id, declined)


@router.post("/products/{product_id}/restock", response_model=SaleBody)
async def restock(
    product_id: ProductId, body: Restock, asked: Asked, idempotency_key: RequiredKey
) -> SaleBody | Response:
    """Add units, also to the sale if there is one. Needs an Idempotency-Key."""
    action = asked.to("restock", product_id, body.model_dump())
    declined = await admin.restock(asked.services, action, body.units)
    return await _sale(asked.services, product_id, declined)


@router.post("/orders/{order_id}/cancel", response_model=OrderStateBody)
async def cancel_order(
    order_id: OrderId, body: Cancellation, asked: Asked
) -> OrderStateBody | Response:
    """Cancel an order, even one that is CONFIRMED; its units can be bought again.

    An order of V4 that is still in the queue cannot be cancelled yet: 404.
    """
    action = asked.to("cancel", order_id, body.model_dump())
    declined = await admin.cancel_order(asked.services, action, body.reason)
    row = None if declined else await asked.services.orders.get(order_id)
    if row is None:
        return declined_problem(declined or Declined.NO_SUCH_ORDER)
    return OrderStateBody(order_id=order_id, status=row.status, reason=row.reason)


@router.get("/products/{product_id}/books", response_model=BooksBody)
async def get_books(
    product_id: ProductId, caller: Admin, services: Injected
) -> BooksBody | Response:
    """Where every unit of a product is."""
    found = await _books(services, [product_id])
    return found[0] if found else declined_problem(Declined.NO_SUCH_PRODUCT)


@router.get("/books")
async def get_all_books(caller: Admin, services: Injected) -> AllBooksBody:
    """Where every unit is."""
    return AllBooksBody(products=await _books(services, None))


@router.get("/audit")
async def get_audit(
    caller: Admin, services: Injected, limit: Annotated[int, Query(ge=1, le=500)] = 50
) -> AuditBody:
    """What admins did, newest first.

    One that stays `begun` has died: repeat it, with its Idempotency-Key if it had one. Without one
    a repetition is another action, and this one stays as it is.
    """
    entries = await services.audit.latest(limit)
    return AuditBody(actions=[AuditEntryBody.model_validate(entry) for entry in entries])


async def _sale(
    services: Services, product_id: str, declined: Declined | None
) -> SaleBody | Response:
    if declined:
        return declined_problem(declined)
    return SaleBody.of(product_id, await services.ledger.snapshot(product_id))


async def _books(services: Services, product_ids: list[str] | None) -> list[BooksBody]:
    waiting = await messages_waiting(services)
    rows = await read_books(services, product_ids, waiting)
    messages = None if waiting is ANYTHING else waiting.unread
    return [BooksBody.model_validate({**row.figures(), "waiting": messages}) for row in rows]
