"""The demo's sale behind a waiting room: many at the door, few inside, and a checked draw."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from flashsale.domain.draw import commitment, place_of
from flashsale.domain.model import Terms
from flashsale.domain.rooms import RoomTerms
from flashsale.services import Services
from flashsale.usecases import sales
from flashsale.usecases.books import Books
from flashsale_local.deployment.target import Target
from flashsale_local.problems import Problem
from flashsale_local.sale.demo import CONNECTIONS, await_orders
from flashsale_local.sale.seed import seed, user_ids

UNITS, PEOPLE, PUSHERS, INSIDE = 20, 60, 10, 5
# One of so many of those who are called does not come.
NO_SHOWS = 4
ROOM = RoomTerms(max_inside=INSIDE, max_rate=1200, admission_seconds=30)
# Seconds in which all can join before the opening.
OPENS_IN = 4
# Seconds between two looks at the room. Clients of a real sale take its `pollAfter`.
LOOK = 0.25
# Seconds that an admitted user takes to choose.
CHOOSING = 0.5
# Seconds from the opening until all units are sold.
DEADLINE = 60.0


@dataclass
class Door:
    """What happened at the door, in users."""

    kept_out: int = 0
    never_came: int = 0
    admitted: int = 0
    bought: int = 0
    found_nothing: int = 0


@dataclass(frozen=True)
class RoomedSale:
    """The result of the sale.

    Attributes:
        most_inside: users inside at once, of all looks at the room.
        drawn_well: whether each user computed another place, from the seed that was committed to.

    """

    door: Door
    most_inside: int
    drawn_well: bool
    books: Books

    @property
    def still_waited(self) -> int:
        """How many were not called when the last unit was sold."""
        door = self.door
        return PEOPLE - door.never_came - door.admitted

    @property
    def findings(self) -> list[str]:
        """What is not as expected, one line each."""
        found = [
            f"V5 behind a waiting room: {name} is {is_}, and should be {should}."
            for name, (is_, should) in self._compared.items()
            if is_ != should
        ]
        if self.most_inside > INSIDE:
            found.append(f"V5 behind a waiting room: {self.most_inside} were inside, of {INSIDE}.")
        if not self.books.balanced:
            found.append(f"V5 behind a waiting room broke its books: {self.books}")
        return found

    @property
    def _compared(self) -> Mapping[str, tuple[object, object]]:
        return {
            "kept out without an admission": (self.door.kept_out, PUSHERS),
            "bought": (self.door.bought, UNITS),
            "confirmed": (self.books.confirmed, UNITS),
            "the draw can be checked": (self.drawn_well, True),
        }

    def figures(self) -> dict[str, Any]:
        """Return the results as a JSON object."""
        return {**asdict(self), "still_waited": self.still_waited, "books": self.books.figures()}


@dataclass
class Room:
    """The public document of the room, as one client saw it last."""

    http: httpx.AsyncClient
    product_id: str
    document: Mapping[str, Any] = field(default_factory=dict)
    most_inside: int = 0

    async def look(self) -> None:
        """Read the document again."""
        answer = await self.http.get(f"/api/v5/rooms/{self.product_id}")
        self.document = _body(answer)
        self.most_inside = max(self.most_inside, self.document["inside"])

    async def join(self, user_id: str) -> tuple[int, str]:
        """Return the arrival number and the ticket of a user."""
        path = f"/api/v5/rooms/{self.product_id}/tickets"
        body = _body(await self.http.post(path, json={"userId": user_id}))
        return body["arrival"], body["ticket"]

    async def enter(self, ticket: str) -> str | None:
        """Return the admission of a called user; None while the room is full."""
        path = f"/api/v5/rooms/{self.product_id}/admission"
        return _body(await self.http.post(path, headers={"Ticket": ticket})).get("admission")

    async def buy(self, user_id: str, admission: str = "") -> int:
        """Buy one unit; return the status of the answer."""
        body = {"productId": self.product_id, "userId": user_id}
        headers = {"Admission": admission}
        return (await self.http.post("/api/v5/buy", json=body, headers=headers)).status_code


async def hold(target: Target, services: Services, run: str) -> RoomedSale:
    """Let all join, draw, and let them in a few at a time until everything is sold.

    Raises:
        Problem: the room does not open, or its units are not sold in time.

    """
    product_id, users = f"demo-{run}-v5-room", user_ids(PEOPLE + PUSHERS)
    await seed(services, users, [product_id], UNITS)
    opens_at = datetime.now(UTC) + timedelta(seconds=OPENS_IN)
    declined = await sales.open_sale(services, product_id, Terms(starts_at=opens_at, room=ROOM))
    assert declined is None, declined
    async with target.edges["asgi"].client() as http:
        room, door = Room(http, product_id), Door()
        tickets = await _join_all(room, users[:PEOPLE])
        try:
            async with asyncio.timeout(OPENS_IN + DEADLINE):
                places = await _draw(room, tickets)
                for pusher in users[PEOPLE:]:
                    door.kept_out += await room.buy(pusher) == httpx.codes.FORBIDDEN
                await _let_all_in(room, door, places)
        except TimeoutError:
            raise Problem(
                f"Of {UNITS} units behind a waiting room only {door.bought} were sold.",
                f"See `flashsale room {product_id}`, and .local/logs/edge.log.",
            ) from None
    books = await await_orders(target, services, product_id, door.bought)
    drawn_well = sorted(place for place, _, _ in places) == list(range(PEOPLE))
    return RoomedSale(door, room.most_inside, drawn_well, books)


async def _join_all(room: Room, users: Sequence[str]) -> list[tuple[int, str, str]]:
    """Let all users join; return arrival number, user and ticket of each."""
    waiting, joined = iter(users), []

    async def arrive() -> None:
        for user_id in waiting:
            number, ticket = await room.join(user_id)
            joined.append((number, user_id, ticket))

    await asyncio.gather(*(arrive() for _ in range(CONNECTIONS)))
    return joined


async def _draw(room: Room, joined: Sequence[tuple[int, str, str]]) -> list[tuple[int, str, str]]:
    """Wait for the draw; return the place, the user and the ticket of each, as they compute it."""
    await room.look()
    committed = room.document["commitment"]
    while "seed" not in room.document:
        await asyncio.sleep(LOOK)
        await room.look()
    seed_, drawn = room.document["seed"], room.document["drawn"]
    if commitment(seed_) != committed:
        raise Problem("The seed of the draw is not the one that was committed to.", "It is a bug.")
    bytes_ = bytes.fromhex(seed_)
    return [(place_of(number, drawn, bytes_), user, ticket) for number, user, ticket in joined]


async def _let_all_in(room: Room, door: Door, places: Sequence[tuple[int, str, str]]) -> None:
    """Let the called users in, until everything is sold."""
    waiting, inside = sorted(places), set[asyncio.Task[None]]()
    while room.document["stock"] or inside:
        while waiting and waiting[0][0] < room.document["serving"]:
            place, user_id, ticket = waiting.pop(0)
            if place % NO_SHOWS == NO_SHOWS - 1:
                door.never_came += 1
            else:
                inside.add(asyncio.create_task(_visit(room, door, user_id, ticket)))
        await asyncio.sleep(LOOK)
        await room.look()
        for visit in [visit for visit in inside if visit.done()]:
            inside.remove(visit)
            visit.result()


async def _visit(room: Room, door: Door, user_id: str, ticket: str) -> None:
    """Enter, choose, and buy."""
    while (admission := await room.enter(ticket)) is None:
        if not room.document["stock"]:
            return
        await asyncio.sleep(LOOK)
    door.admitted += 1
    await asyncio.sleep(CHOOSING)
    accepted = await room.buy(user_id, admission) == httpx.codes.ACCEPTED
    door.bought += accepted
    door.found_nothing += not accepted


def _body(answer: httpx.Response) -> dict[str, Any]:
    if answer.is_error:
        raise Problem(
            f"{answer.url} answered {answer.status_code}: {answer.text[:300]}",
            "See .local/logs/edge.log.",
        )
    body: dict[str, Any] = answer.json()
    return body
