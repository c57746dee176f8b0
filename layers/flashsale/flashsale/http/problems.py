"""Errors of V5 as problem details (RFC 9457), each with a stable `code`."""

from http import HTTPStatus

from fastapi.responses import JSONResponse

from flashsale.model import Refusal

_REFUSALS = {
    Refusal.SOLD_OUT: (409, "No units are left."),
    Refusal.NO_SUCH_PRODUCT: (404, "No such product is on sale."),
    Refusal.SALE_NOT_OPEN: (409, "The sale has not begun, or is over."),
    Refusal.PURCHASE_LIMIT: (409, "You have claimed as many units as one buyer may."),
    Refusal.KEY_REUSED: (422, "This Idempotency-Key came with another request before."),
}


def problem_response(
    status: int, code: str, detail: str, headers: dict[str, str] | None = None
) -> JSONResponse:
    """An answer of the media type application/problem+json."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
    }
    return JSONResponse(body, status, headers, media_type="application/problem+json")


def refusal_problem(refusal: Refusal) -> JSONResponse:
    """The answer to a V5 purchase that was refused."""
    status, detail = _REFUSALS[refusal]
    code = "not_found" if refusal is Refusal.NO_SUCH_PRODUCT else refusal.value
    return problem_response(status, code, detail)
