"""Errors as HTTP answers, in one place. No answer tells more than its reader may know."""

from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from flashsale.errors import ServiceUnavailable
from flashsale.model import Refusal

# Seconds after which a buyer may try again.
RETRY_AFTER = 1

_REFUSALS = {
    Refusal.SOLD_OUT: (HTTPStatus.BAD_REQUEST, "Out of stock"),
    Refusal.NO_SUCH_PRODUCT: (HTTPStatus.NOT_FOUND, "Product not found"),
    Refusal.NO_SUCH_USER: (HTTPStatus.NOT_FOUND, "User not found"),
}


def error_response(
    status: int, message: str, headers: dict[str, str] | None = None
) -> JSONResponse:
    """An answer of the shape `ErrorBody`."""
    body = {"error": HTTPStatus(status).phrase, "message": message}
    return JSONResponse(body, status, headers)


def refusal_response(refusal: Refusal) -> JSONResponse:
    """The answer to a purchase that was refused."""
    status, message = _REFUSALS[refusal]
    return error_response(status, message)


def add_error_handlers(api: FastAPI) -> None:
    """Make every error of `api` an answer of the shape `ErrorBody`."""
    api.add_exception_handler(RequestValidationError, _invalid)
    api.add_exception_handler(HTTPException, _http_error)
    api.add_exception_handler(ServiceUnavailable, _unavailable)
    api.add_exception_handler(Exception, _bug)


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"][1:] if isinstance(part, str))
    message = f"{where}: {first['msg']}" if where else f"body: {first['msg']}"
    return error_response(HTTPStatus.BAD_REQUEST, message)


async def _http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return error_response(error.status_code, error.detail, dict(error.headers or {}))


async def _unavailable(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ServiceUnavailable)
    request.state.error = str(error)  # for the log line, not for the buyer
    return error_response(
        HTTPStatus.SERVICE_UNAVAILABLE,
        f"The {error.service} service does not answer; try again",
        {"Retry-After": str(RETRY_AFTER)},
    )


async def _bug(request: Request, error: Exception) -> JSONResponse:
    request.state.error = f"{type(error).__name__}: {error}"
    return error_response(HTTPStatus.INTERNAL_SERVER_ERROR, "This is our mistake; it was logged")
