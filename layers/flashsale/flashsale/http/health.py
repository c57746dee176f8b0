"""The route for health checks."""

from fastapi import APIRouter, Response

from flashsale.http.dependencies import Injected
from flashsale.http.errors import RETRY_AFTER
from flashsale.http.schemas import HealthBody
from flashsale.usecases.health import ask_stores

router = APIRouter()


@router.get("/health", responses={503: {"model": HealthBody}})
async def health(services: Injected, response: Response) -> HealthBody:
    """Return which backing services answer and take writes; 503 unless all of them do."""
    up = await ask_stores(services)
    if not all(up.values()):
        response.status_code = 503
        response.headers["Retry-After"] = str(RETRY_AFTER)
    return HealthBody(
        status="ok" if all(up.values()) else "degraded",
        services={name: "up" if answers else "down" for name, answers in up.items()},
    )
