"""A crowd of simulated people in front of a visitor of `flashsale shop`.

They use the HTTP API of the ASGI edge as browsers do, and the fake provider. They share one look a
second at the room's document, as people behind a cache do. Everybody ends: paid, expired, or gone.
"""

import asyncio
import random
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

from flashsale.domain.draw import place_of
from flashsale_local.deployment.sign_in import mint
from flashsale_local.deployment.target import Target
from flashsale_local.sale.patient import Patient, body_of
from flashsale_local.sale.person import Errands, Person, Tally

# Seconds after which the crowd leaves in any case.
LONGEST = 600.0
# Seconds between two looks at the room, of all people together.
LOOK = 1.0
# Connections for the room and purchases, for orders, and to the provider. Orders have their own,
# because without PostgreSQL each answer about them takes seconds.
CONNECTIONS, PER_ORDERS, PER_PROVIDER = 8, 8, 4
# Places that are computed before others have their turn on the processor.
PLACES = 100


@dataclass(frozen=True)
class Habits:
    """What people do; parts of one.

    Attributes:
        no_shows: of those who are called.
        buyers: of those who come.
        payers: of those who buy; the others let the hold expire.
        hurry: by which times of people are divided; above 1 for tests.

    """

    no_shows: float = 0.4
    buyers: float = 0.75
    payers: float = 0.8
    hurry: float = 1.0


@dataclass
class Crowd:
    """People who join one sale.

    Attributes:
        join_seconds: the time in which they join.
        report: is called after each look at the room.
        room: the public document of the room, as it was seen last; {} before that.

    """

    target: Target
    product_id: str
    users: Sequence[str]
    join_seconds: float
    habits: Habits = field(default_factory=Habits)
    report: Callable[["Crowd"], None] = lambda _: None
    tally: Tally = field(default_factory=Tally)
    room: Mapping[str, Any] = field(default_factory=dict)
    _waiting: list[tuple[int, Person]] = field(default_factory=list)
    _joined: list[Person] = field(default_factory=list)
    _seen: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, longest: float = LONGEST) -> bool:
        """Let all join, come and buy; return whether all were done before the time was over.

        Args:
            longest: seconds.

        """
        async with AsyncExitStack() as clients:
            cache, shop, orders, provider = [
                await clients.enter_async_context(Patient(url, connections))
                for url, connections in (
                    (self.target.asgi_url, 1),
                    (self.target.asgi_url, CONNECTIONS),
                    (self.target.asgi_url, PER_ORDERS),
                    (self.target.provider_url, PER_PROVIDER),
                )
            ]
            errands = Errands(self.product_id, shop, orders, provider, self.tally, self._is_over)
            try:
                async with asyncio.timeout(longest), asyncio.TaskGroup() as people:
                    looks = people.create_task(self._look_on(cache))
                    await self._join(errands)
                    await self._visit(errands)
                    looks.cancel()
            except TimeoutError:
                return False
        return True

    def _is_over(self) -> bool:
        """Return whether there is nothing left to come for, also not from holds that end.

        An order that is not written yet is not held yet. Those of the crowd itself are known.
        """
        state, open_orders = self.room.get("state"), self.tally.to_pay
        return state == "ended" or (state == "sold_out" and not (self.room["held"] or open_orders))

    async def _look_on(self, cache: Patient) -> None:
        """Look at the room for all, each second."""
        path = f"/api/v5/rooms/{self.product_id}"
        while True:
            answer = await cache.ask("GET", path)
            if answer.is_success and (room := body_of(answer)):
                self.room = room
                self._seen.set()
            self.report(self)
            await asyncio.sleep(LOOK)

    async def _join(self, errands: Errands) -> None:
        """Let all join, evenly over the time that they have."""
        started, waiting = time.monotonic(), iter(enumerate(self.users))

        async def arrive() -> None:
            for number, user_id in waiting:
                due = started + number * self.join_seconds / len(self.users)
                await asyncio.sleep(due - time.monotonic())
                person = self._person(user_id)
                if await errands.join(person):
                    self._joined.append(person)

        await asyncio.gather(*(arrive() for _ in range(CONNECTIONS)))

    def _person(self, user_id: str) -> Person:
        habits = self.habits
        signed = self.target.auth == "jwt"
        secret, minutes = self.target.token_secret, 2 * LONGEST / 60
        return Person(
            user_id,
            comes=random.random() >= habits.no_shows,  # noqa: S311 - no secret
            buys=random.random() < habits.buyers,  # noqa: S311
            pays=random.random() < habits.payers,  # noqa: S311
            hurry=habits.hurry,
            token=mint(secret, user_id, admin=False, minutes=minutes) if signed else "",
        )

    async def _visit(self, errands: Errands) -> None:
        """Let those come who are called, until everybody was, or nothing is left."""
        while "seed" not in self.room:
            await self._next_look()
        await self._learn_places()
        async with asyncio.TaskGroup() as visits:
            while self._waiting and not self._is_over():
                while self._waiting and self._waiting[-1][0] < self.room["serving"]:
                    _, person = self._waiting.pop()
                    if person.comes:
                        visits.create_task(errands.visit(person))
                    else:
                        self.tally.never_came += 1
                await self._next_look()
        self.tally.still_waited = len(self._waiting)

    async def _next_look(self) -> None:
        self._seen.clear()
        await self._seen.wait()

    async def _learn_places(self) -> None:
        """Compute everybody's place from the published seed; the first ones come last."""
        drawn, seed = self.room["drawn"], bytes.fromhex(self.room["seed"])
        for number, person in enumerate(self._joined):
            if number % PLACES == 0:
                await asyncio.sleep(0)
            self._waiting.append((place_of(person.arrival, drawn, seed), person))
        self._waiting.sort(key=lambda one: -one[0])
