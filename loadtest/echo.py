"""The ASGI edge with an echo route, which shows what the server costs without a claim."""

from flashsale.http.schemas import ClaimRequest
from flashsale_server.edge.app import app
from functions.buy.app import api

__all__ = ["app"]


@api.post("/echo")
async def echo(body: ClaimRequest) -> ClaimRequest:
    """Return the body after parsing and validation."""
    return body
