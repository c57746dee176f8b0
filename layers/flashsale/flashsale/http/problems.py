"""Errors of V5 and of the admin API as problem details (RFC 9457), each with a stable `code`."""

from functools import cache
from typing import Any

from fastapi.responses import JSONResponse

from flashsale.domain.model import Declined, NotSold, Refusal, SoldBy
from flashsale.http.problem_body import MEDIA_TYPE, problem_body
from flashsale.http.schemas import ProblemBody

_REFUSALS = {
    Refusal.SOLD_OUT: (409, "No units are left."),
    Refusal.NO_SUCH_PRODUCT: (404, "No such product is on sale."),
    Refusal.SALE_NOT_OPEN: (409, "The sale has not begun, is paused, or is over."),
    Refusal.PURCHASE_LIMIT: (409, "You have claimed as many units as one buyer may."),
    Refusal.KEY_REUSED: (422, "This Idempotency-Key came with another request before."),
    Refusal.ADMISSION_REQUIRED: (403, "A waiting room guards this sale; it has not let you in."),
    Refusal.ADMISSION_OVER: (403, "Your time inside the waiting room has ended."),
}

_DECLINED = {
    Declined.NO_SUCH_PRODUCT: (404, "There is no such product."),
    Declined.PRODUCT_EXISTS: (409, "Another product has this id or this name."),
    Declined.TOO_MANY_UNITS: (409, "A product cannot have so many units."),
    Declined.NO_SALE: (409, "The product is not on sale."),
    Declined.SALE_RUNNING: (409, "The sale runs already, on other terms."),
    Declined.SALE_PAUSED: (409, "The sale is paused; resume it."),
    Declined.SALE_ENDED: (409, "The sale has ended; what is left can be opened as a new one."),
    Declined.NEEDS_REBUILD: (
        409,
        "Units may be on their way still, or Redis has lost the sale. `flashsale rebuild` helps.",
    ),
    Declined.OTHER_GENERATION: (
        409,
        "Another generation sold this product and goes on selling it; limits and holds need V5.",
    ),
    Declined.NO_ROOM_SECRET: (409, "This shop has no ROOM_SECRET, so no sale can have a room."),
    Declined.NO_ROOM: (409, "The product has no waiting room."),
    Declined.NO_SUCH_ORDER: (404, "There is no such order."),
    Declined.NO_SUCH_PAYMENT: (404, "There is no such payment."),
    Declined.NOT_REFUND_DUE: (409, "The payment is not to be refunded."),
    Declined.KEY_REUSED: (422, "This Idempotency-Key came with another request before."),
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Describe these statuses as problems, for the OpenAPI document."""
    return {status: {"model": ProblemBody} for status in statuses}


def problem_response(
    status: int, code: str, detail: str, headers: dict[str, str] | None = None
) -> JSONResponse:
    """Return an answer of the media type application/problem+json."""
    body = problem_body(status, code, detail)
    return JSONResponse(body, status, headers, media_type=MEDIA_TYPE)


def refusal_problem(refusal: NotSold) -> JSONResponse:
    """Return the answer to a V5 purchase that was refused."""
    if isinstance(refusal, SoldBy):
        return problem_response(409, refusal.value, sold_by(refusal))
    return _refused(refusal)


# Nothing changes a response that it sends, so all buyers may get the same one.
@cache
def _refused(refusal: Refusal) -> JSONResponse:
    status, detail = _REFUSALS[refusal]
    code = "not_found" if refusal is Refusal.NO_SUCH_PRODUCT else refusal.value
    return problem_response(status, code, detail)


def sold_by(refusal: SoldBy) -> str:
    """Say which generation sells the product, and so where to buy it."""
    return f"Product {refusal.product_id} is sold by V{refusal.generation}"


def declined_problem(declined: Declined) -> JSONResponse:
    """Return the answer to an admin's action that was not carried out."""
    status, detail = _DECLINED[declined]
    return problem_response(status, declined.value, detail)
