"""The ASGI edge with a route that only echoes, to measure what the server costs without a claim."""

from flashsale.http.schemas import ClaimRequest
from flashsale_server.edge.app import app
from functions.buy.app import api

__all__ = ["app"]


@api.post("/echo")
async def echo(body: ClaimRequest) -> ClaimRequest:
    """Parse the body and return it."""
    return body
