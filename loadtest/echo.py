"""The ASGI edge with one more route, which only echoes: what the server costs without a claim."""

from flashsale.http.schemas import ClaimRequest
from flashsale_server.edge.app import app
from functions.buy.app import api

__all__ = ["app"]


@api.post("/echo")
async def echo(body: ClaimRequest) -> ClaimRequest:
    """The same body, parsed and written; nothing else."""
    return body
