"""The body of a problem (RFC 9457), for HTTP with and without FastAPI."""

from http import HTTPStatus
from typing import Any

MEDIA_TYPE = "application/problem+json"


def problem_body(status: int, code: str, detail: str) -> dict[str, Any]:
    """Return the body of a problem.

    Args:
        code: stable, for programs; `detail` is for people.

    """
    return {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
    }
