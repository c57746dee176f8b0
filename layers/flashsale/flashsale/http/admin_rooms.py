"""The routes of the admin API about the waiting room of a product."""

from fastapi import APIRouter, Response

from flashsale.domain.model import Declined, ProductId
from flashsale.http.admin_bodies import Nothing
from flashsale.http.admin_request import Asked
from flashsale.http.admin_room_schemas import RoomBody, RoomRateBody
from flashsale.http.problems import declined_problem, problems
from flashsale.http.strict import StrictRoute
from flashsale.services import Services
from flashsale.usecases import admin
from flashsale.usecases.rooms import read_room

router = APIRouter(
    prefix="/api/admin/products/{product_id}/room",
    route_class=StrictRoute,
    responses=problems(401, 403, 404, 408, 409, 413, 422, 503),
)


@router.post("/pause", response_model=RoomBody)
async def pause_room(
    product_id: ProductId, asked: Asked, body: Nothing | None = None
) -> RoomBody | Response:
    """Call nobody until the room is resumed. Everybody keeps their place."""
    action = asked.to("room pause", product_id)
    declined = await admin.change_room(asked.services, action, paused=True)
    return await _room(asked.services, product_id, declined)


@router.post("/resume", response_model=RoomBody)
async def resume_room(
    product_id: ProductId, asked: Asked, body: Nothing | None = None
) -> RoomBody | Response:
    """Go on calling."""
    action = asked.to("room resume", product_id)
    declined = await admin.change_room(asked.services, action, paused=False)
    return await _room(asked.services, product_id, declined)


@router.post("/rate", response_model=RoomBody)
async def set_room_rate(
    product_id: ProductId, body: RoomRateBody, asked: Asked
) -> RoomBody | Response:
    """Set how many users are called a minute, at most. The pipeline may lower the rate."""
    action = asked.to("room rate", product_id, body.model_dump(mode="json", by_alias=True))
    declined = await admin.change_room(asked.services, action, max_rate=body.max_rate)
    return await _room(asked.services, product_id, declined)


async def _room(
    services: Services, product_id: str, declined: Declined | None
) -> RoomBody | Response:
    view = None if declined else await read_room(services, product_id)
    if view is None:
        return declined_problem(declined or Declined.NEEDS_REBUILD)
    return RoomBody.of(product_id, view)
