"""The routes of waiting rooms. The state of a room is one document, the same for everybody.

Clients compute their own wait from the document, so caches may answer nearly all of them.
"""

from functools import lru_cache
from math import ceil
from typing import Annotated

from fastapi import APIRouter, Header, Response
from fastapi.routing import APIRoute
from starlette.types import Receive, Scope, Send

from flashsale.domain.model import ProductId
from flashsale.domain.room_estimates import chance_of, poll_after, wait_of
from flashsale.domain.rooms import NotAdmitted, NotYet, RoomState
from flashsale.http.auth import Buyer
from flashsale.http.dependencies import Injected
from flashsale.http.problems import problem_response, problems
from flashsale.http.room_schemas import (
    TOKEN,
    AdmissionBody,
    RoomBody,
    TicketBody,
    TicketRequest,
    TurnBody,
    at,
)
from flashsale.http.strict import StrictRoute
from flashsale.redis_store.room_copies import RoomCopy
from flashsale.usecases import room_looks, room_visits
from flashsale.usecases.room_visits import Pass, Turn, TurnedAway

# The document is read by everybody and names nobody, unlike all other answers of this API.
CACHE_CONTROL = "public, max-age=1, stale-while-revalidate=5, stale-if-error=60"

_AWAY = {
    TurnedAway.NO_ROOM: (404, "This product has no waiting room."),
    TurnedAway.TICKET_INVALID: (401, "The header Ticket has no ticket of yours for this room."),
    TurnedAway.ENDED: (409, "The sale is over."),
}

TicketHeader = Annotated[str, Header(pattern=TOKEN)]


class DocumentRoute(APIRoute):
    """A route that sends a copy of a second ago by itself; FastAPI serves all else."""

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request to the path of this route."""
        if scope["method"] == "GET":
            copies = scope["app"].state.services().room_copies
            # Only ids that FastAPI found valid have a copy.
            copy = copies.fresh(scope["path_params"]["product_id"])
            if copy and copy.view:
                await _document(copy)(scope, receive, send)
                return
        await super().handle(scope, receive, send)


document = APIRouter(prefix="/api/v5", route_class=DocumentRoute)
visits = APIRouter(prefix="/api/v5", route_class=StrictRoute)


@document.get(
    "/rooms/{product_id}",
    name="get_room",
    response_model=RoomBody,
    responses=problems(404, 422, 503),
)
async def get_room(product_id: ProductId, services: Injected) -> Response:
    """Return the state of a waiting room, the same for everybody. It may be a second old.

    A client asks again `pollAfter` seconds later, and varies that by up to a quarter, so that
    clients do not come all at once. `stale` says that Redis does not answer, so that the state is
    up to a minute old. `seed` and `drawn` come with the draw. Then every client can compute its
    place.
    """
    copy = await room_looks.look(services, product_id)
    return _document(copy) if copy.view else _turned_away(TurnedAway.NO_ROOM)


@visits.post(
    "/rooms/{product_id}/tickets",
    response_model=TicketBody,
    responses=problems(401, 403, 404, 408, 409, 413, 422, 503),
)
async def join_room(
    product_id: ProductId,
    buyer: Buyer,
    services: Injected,
    body: TicketRequest | None = None,
    ticket: TicketHeader = "",
) -> TicketBody | Response:
    """Join a waiting room. The same user gets the same place each time, on every device.

    A user whose turn has lapsed sends the old ticket, and gets a new place at the end.
    """
    named = body.user_id if body else None
    user_id = buyer.user_id if buyer else named
    if user_id is None:
        return problem_response(422, "invalid", "userId: Field required")
    if named not in (None, user_id):
        return problem_response(403, "forbidden", "The token is another user's.")
    joined = await room_visits.join(services, product_id, user_id, ticket)
    if isinstance(joined, TurnedAway):
        return _turned_away(joined)
    if isinstance(joined, NotYet):
        return await _closed(services, product_id, joined)
    return TicketBody(
        ticket=joined.ticket,
        arrival=joined.number,
        prequeue=joined.view.queue.will_draw(joined.number),
        opens_at=at(joined.view.queue.opens_at),
    )


@visits.post(
    "/rooms/{product_id}/admission",
    response_model=AdmissionBody,
    responses={202: {"model": TurnBody}, **problems(401, 404, 409, 410, 422, 503)},
)
async def ask_admission(
    product_id: ProductId, buyer: Buyer, services: Injected, ticket: TicketHeader = ""
) -> AdmissionBody | Response:
    """Ask to be let in, with the ticket. A repeat while inside does not extend the time.

    202 says that it is not yet the turn of this user, and when to ask again. Before the draw no
    place is known.
    """
    user_id = buyer.user_id if buyer else None
    answer = await room_visits.ask_admission(services, product_id, ticket, user_id)
    match answer:
        case Pass():
            return AdmissionBody(admission=answer.admission, expires_at=at(answer.until))
        case Turn():
            return _wait(answer)
        case NotAdmitted():
            lapsed = "Your turn has lapsed. Join again for a place at the end."
            return problem_response(410, answer.value, lapsed)
    return _turned_away(answer)


@visits.delete(
    "/rooms/{product_id}/tickets/mine", status_code=204, responses=problems(401, 404, 422, 503)
)
async def leave_room(
    product_id: ProductId, buyer: Buyer, services: Injected, ticket: TicketHeader = ""
) -> Response:
    """Give up the slot inside, so that others come sooner. The place cannot be used again."""
    user_id = buyer.user_id if buyer else None
    refused = await room_visits.leave(services, product_id, ticket, user_id)
    return _turned_away(refused) if refused else Response(status_code=204)


# One answer is made of each copy and sent to all who ask. Nothing changes a response that it sends.
@lru_cache(256)
def _document(copy: RoomCopy) -> Response:
    assert copy.view, "only a room has a document"
    body = RoomBody.of(copy.view, stale=copy.stale)
    content = body.model_dump_json(by_alias=True, exclude_none=True)
    return Response(content, 200, {"Cache-Control": CACHE_CONTROL}, media_type="application/json")


def _wait(turn: Turn) -> Response:
    ahead = turn.ahead
    wait = None if ahead is None else wait_of(turn.view, ahead)
    body = TurnBody(
        place=turn.place,
        ahead=ahead,
        wait_from=wait and wait[0],
        wait_to=wait and wait[1],
        chance=None if ahead is None else chance_of(turn.view, ahead),
    )
    content = body.model_dump_json(by_alias=True)
    headers = {"Retry-After": str(_ask_again(turn, wait))}
    return Response(content, 202, headers, media_type="application/json")


def _ask_again(turn: Turn, wait: tuple[int, int] | None) -> int:
    """Return the seconds until this user should ask again."""
    view = turn.view
    if turn.ahead == 0 and view.state is not RoomState.SOLD_OUT:
        return 1  # called, and the room is full for a moment
    seconds = wait[0] if wait else poll_after(view)
    if turn.ahead is None:
        seconds = ceil((view.queue.opens_at - view.queue.now) / 1000)
    return max(1, min(seconds, poll_after(view)))


async def _closed(services: Injected, product_id: str, joined: NotYet) -> Response:
    room = await room_looks.view(services, product_id)
    now = room.queue.now if room else joined.from_at
    seconds = max(1, ceil((joined.from_at - now) / 1000))
    detail = f"The waiting room opens at {at(joined.from_at).isoformat()}."
    return problem_response(409, "room_closed", detail, {"Retry-After": str(seconds)})


def _turned_away(reason: TurnedAway) -> Response:
    status, detail = _AWAY[reason]
    # RFC 9110, 15.5.2: a 401 names what would help.
    headers = {"WWW-Authenticate": "Ticket"} if status == 401 else None
    return problem_response(status, reason.value, detail, headers)
