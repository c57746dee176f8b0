"""The ASGI edge with an echo route, which shows what the server costs without a claim."""

from fastapi import APIRouter

from flashsale.http.schemas import ClaimRequest
from flashsale_server.edge.app import create_edge

router = APIRouter()


@router.post("/echo")
async def echo(body: ClaimRequest) -> ClaimRequest:
    """Return the body after parsing and validation."""
    return body


app = create_edge(router)
