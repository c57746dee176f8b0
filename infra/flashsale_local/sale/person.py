"""One of the simulated people: what they do from joining the room to the end of their order."""

import asyncio
import random
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from flashsale_local.sale.patient import Patient, body_of, retry_after, varied

# Seconds that people take, at least and at most: until they come when they are called, to choose,
# and to pay.
COMING, CHOOSING, PAYING = (0.5, 6.0), (1.0, 5.0), (2.0, 8.0)
# Seconds between two looks at an order: at first, and while its end is far.
SOON, SELDOM = 1.0, 3.0


@dataclass
class Person:
    """A user, what they will do, and what they have.

    Attributes:
        comes, buys, pays: what they do when it is their turn.
        hurry: by which the times that they take are divided.
        token: with which they sign in; "" where nobody has to.

    """

    user_id: str
    comes: bool
    buys: bool
    pays: bool
    hurry: float = 1.0
    token: str = ""
    arrival: int = 0
    ticket: str = ""

    def headers(self, **more: str) -> dict[str, str]:
        """Return the headers of a request of this person."""
        signed = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        return {**signed, **more}

    async def take(self, seconds: tuple[float, float]) -> None:
        """Take some time, of at least and at most so many seconds."""
        await asyncio.sleep(random.uniform(*seconds) / self.hurry)  # noqa: S311 - no secret


@dataclass
class Tally:
    """How many people have done what.

    Attributes:
        turned_away: could not join, were too late, or got an answer that nobody expected.
        bought: their claims were accepted; `paid`, `expired` and `cancelled` are parts of them.
        still_waited: were not called when the crowd left.

    """

    joined: int = 0
    never_came: int = 0
    came: int = 0
    turned_away: int = 0
    left: int = 0
    found_nothing: int = 0
    bought: int = 0
    paid: int = 0
    expired: int = 0
    cancelled: int = 0
    still_waited: int = 0

    @property
    def to_pay(self) -> int:
        """How many orders are neither paid nor over."""
        return self.bought - self.paid - self.expired - self.cancelled


@dataclass
class Errands:
    """What people do at the shop and at the provider.

    Attributes:
        is_over: tells whether nothing is left to come for.

    """

    product_id: str
    shop: Patient
    orders: Patient
    provider: Patient
    tally: Tally
    is_over: Callable[[], bool]

    async def join(self, person: Person) -> bool:
        """Get a ticket; return whether there was one."""
        path, body = f"/api/v5/rooms/{self.product_id}/tickets", {"userId": person.user_id}
        answer = await self.shop.ask("POST", path, person.headers(), body)
        if not answer.is_success:
            self.tally.turned_away += 1
            return False
        got = body_of(answer)
        person.arrival, person.ticket = got["arrival"], got["ticket"]
        self.tally.joined += 1
        return True

    async def visit(self, person: Person) -> None:
        """Come when called: enter, choose, buy or leave, and see what becomes of the order."""
        await person.take(COMING)
        admission = await self._enter(person)
        if admission is None:
            return
        self.tally.came += 1
        await person.take(CHOOSING)
        if not person.buys:
            self.tally.left += 1
            await self._leave(person)
            return
        order_id = await self._buy(person, admission)
        if order_id is None:
            self.tally.found_nothing += 1
            await self._leave(person)
            return
        self.tally.bought += 1
        await self._see_order_through(person, order_id)

    async def _enter(self, person: Person) -> str | None:
        """Return the admission; None if there is none any more."""
        path = f"/api/v5/rooms/{self.product_id}/admission"
        while True:
            answer = await self.shop.ask("POST", path, person.headers(Ticket=person.ticket))
            if answer.status_code == 200:
                return str(body_of(answer)["admission"])
            if answer.status_code != 202:
                self.tally.turned_away += 1
                return None
            if self.is_over():
                self.tally.found_nothing += 1
                return None
            await asyncio.sleep(varied(retry_after(answer)))

    async def _buy(self, person: Person, admission: str) -> str | None:
        """Return the id of the order; None if nothing is left."""
        headers = person.headers(
            **{"Admission": admission, "Idempotency-Key": secrets.token_hex(8)}
        )
        body = {"productId": self.product_id, "userId": person.user_id}
        answer = await self.shop.ask("POST", "/api/v5/buy", headers, body)
        return str(body_of(answer)["orderId"]) if answer.status_code == 202 else None

    async def _leave(self, person: Person) -> None:
        path = f"/api/v5/rooms/{self.product_id}/tickets/mine"
        await self.shop.ask("DELETE", path, person.headers(Ticket=person.ticket))

    async def _see_order_through(self, person: Person, order_id: str) -> None:
        path = f"/api/v5/orders/{order_id}"
        tried = False
        while True:
            pause = SOON
            answer = await self.orders.ask("GET", path, person.headers())
            order = body_of(answer)
            match order.get("status"):
                case "CONFIRMED":
                    self.tally.paid += 1
                    return
                case "EXPIRED":
                    self.tally.expired += 1
                    return
                case "CANCELLED":
                    self.tally.cancelled += 1
                    return
                case "RESERVED" if person.pays and not tried:
                    tried = True
                    await person.take(PAYING)
                    await self._pay(person, path)
                case "RESERVED":
                    pause = SELDOM if tried else max(SELDOM, _seconds_until(order["expiresAt"]))
            await asyncio.sleep(varied(pause) / person.hurry)

    async def _pay(self, person: Person, path: str) -> None:
        """Pay as a buyer does. If the time is over, the order expires."""
        begun = await self.orders.ask("POST", f"{path}/payment", person.headers())
        if begun.status_code == 201:
            payment_id = body_of(begun)["paymentId"]
            await self.provider.ask("POST", f"/fake/payment_intents/{payment_id}/pay", body={})


def _seconds_until(at: str) -> float:
    return (datetime.fromisoformat(at) - datetime.now(UTC)).total_seconds()
