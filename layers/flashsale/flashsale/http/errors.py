"""Errors as HTTP answers, in one place. No answer tells a client what it may not know."""

from functools import cache
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from flashsale.domain.model import NotSold, Refusal, SoldBy
from flashsale.errors import ServiceUnavailable
from flashsale.http.problems import problem_response, sold_by
from flashsale.http.request_log import log_of

# Seconds after which a buyer may try again.
RETRY_AFTER = 1

# Below these an error is a problem (RFC 9457); elsewhere it has the shape of the original system.
PROBLEM_PATHS = ("/api/v5/", "/api/admin/")

# An answer is data. A browser must not guess its type, keep it, frame it, or run anything in it.
SECURITY_HEADERS = {
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    # Browsers obey it on https only.
    "strict-transport-security": "max-age=31536000",
}

_REFUSALS = {
    Refusal.SOLD_OUT: (HTTPStatus.BAD_REQUEST, "Out of stock"),
    Refusal.NO_SUCH_PRODUCT: (HTTPStatus.NOT_FOUND, "Product not found"),
    Refusal.NO_SUCH_USER: (HTTPStatus.NOT_FOUND, "User not found"),
    Refusal.SALE_NOT_OPEN: (HTTPStatus.BAD_REQUEST, "The sale is not open"),
}


def error_response(
    status: int, message: str, headers: dict[str, str] | None = None
) -> JSONResponse:
    """Return an answer of the shape `ErrorBody`."""
    body = {"error": HTTPStatus(status).phrase, "message": message}
    return JSONResponse(body, status, headers)


def refusal_response(refusal: NotSold) -> JSONResponse:
    """Return the answer of V1 to V4 to a purchase that was refused."""
    if isinstance(refusal, SoldBy):
        return error_response(HTTPStatus.BAD_REQUEST, sold_by(refusal))
    return _refused(refusal)


# Nothing changes a response that it sends, so all buyers may get the same one.
@cache
def _refused(refusal: Refusal) -> JSONResponse:
    status, message = _REFUSALS[refusal]
    return error_response(status, message)


def add_error_handlers(api: FastAPI) -> None:
    """Make every error of `api` an `ErrorBody`, or below `PROBLEM_PATHS` a problem (RFC 9457)."""
    api.add_exception_handler(RequestValidationError, _invalid)
    api.add_exception_handler(HTTPException, _http_error)
    api.add_exception_handler(ServiceUnavailable, _unavailable)


def respond(
    path: str, status: int, code: str, message: str, headers: dict[str, str] | None = None
) -> JSONResponse:
    """Return an error in the shape of the routes below this path."""
    if path.startswith(PROBLEM_PATHS):
        return problem_response(status, code, message, headers)
    return error_response(status, message, headers)


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"][1:] if isinstance(part, str))
    message = f"{where or 'body'}: {first['msg']}"
    path = request.scope["path"]
    return respond(path, 422 if path.startswith(PROBLEM_PATHS) else 400, "invalid", message)


async def _http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    code = HTTPStatus(error.status_code).phrase.lower().replace(" ", "_")
    headers = dict(error.headers or {})
    return respond(request.scope["path"], error.status_code, code, error.detail, headers)


async def _unavailable(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ServiceUnavailable)
    log_of(request.scope).error = str(error)  # for the log line, not for the buyer
    message = f"The {error.service} service does not answer; try again"
    return respond(
        request.scope["path"], 503, "unavailable", message, {"Retry-After": str(RETRY_AFTER)}
    )
