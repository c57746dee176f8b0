"""The ASGI edge with one more route, which only echoes: what the server costs without a claim."""

from fastapi import APIRouter

from flashsale.http.schemas import ClaimRequest
from flashsale_server.edge.app import create_edge

router = APIRouter()


@router.post("/echo")
async def echo(body: ClaimRequest) -> ClaimRequest:
    """Return the same body, parsed and written; nothing else."""
    return body


app = create_edge(router)
