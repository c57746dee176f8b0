"""The fake provider's webhooks: signed, and sent again a few times if they are not taken."""

import asyncio
import json
import secrets
import time
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from flashsale.provider.signature import sign
from flashsale_local.fake_provider.intents import Delivery, Intent

PAID, CREATED = "payment_intent.succeeded", "payment_intent.created"
FAILED = "payment_intent.payment_failed"
# The provider tries so often, with this pause in seconds. Stripe goes on for three days.
TRIES, PAUSE = 5, 1.0
# Webhooks on their way at once. The emulator would start a process of the function for each.
AT_A_TIME = 4


@dataclass(frozen=True)
class Receiver:
    """Where webhooks go.

    Attributes:
        url: of the webhook; "" to send none.
        headers: which each request needs, such as Host for an emulator.
        secret: signs them.

    """

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    secret: str = field(default="", repr=False)


@dataclass(frozen=True)
class Wish:
    """How the webhooks of a payment are to arrive.

    Attributes:
        amount: what is received, in minor units; None for what was asked for.
        delay: seconds between the payment and its webhook.
        processing: seconds for which the payment is in progress, before it succeeds.
        times: how often it is sent; 0 for never.
        out_of_order: the older event, of the payment's creation, comes after that of its success.

    """

    amount: int | None = None
    delay: float = 0.0
    processing: float = 0.0
    times: int = 1
    out_of_order: bool = False

    def __post_init__(self) -> None:
        """Reject values that are of no use, such as those of a wrong type."""
        numbers = [
            type(self.amount) in (int, type(None)),
            type(self.times) is int,
            type(self.delay) in (int, float),
            type(self.processing) in (int, float),
        ]
        if not all(numbers) or min(self.times, self.delay, self.processing) < 0:
            raise ValueError("amount and times are whole numbers; delay, processing are in seconds")


class Webhooks:
    """Sends the events of payments in the background."""

    def __init__(self, receiver: Receiver, pause: float = PAUSE) -> None:
        self._receiver, self._pause = receiver, pause
        self._tasks: set[asyncio.Task[None]] = set()
        self._turns = asyncio.Semaphore(AT_A_TIME)

    def send(self, intent: Intent, wish: Wish, type_: str = PAID) -> None:
        """Send the events of a payment. This does not wait for them."""
        if not self._receiver.url or not wish.times:
            return
        types = [type_] * wish.times + [CREATED] * wish.out_of_order
        deliveries = [Delivery(name) for name in types]
        intent.webhooks += deliveries
        # An event that is sent again has the same id.
        ids = {name: f"evt_{secrets.token_hex(12)}" for name in types}
        self.in_background(self._send_all(intent, deliveries, ids, wish.delay))

    def in_background(self, work: Coroutine[None, None, None]) -> None:
        """Do this until `close`."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Give up what was not sent yet."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _send_all(
        self, intent: Intent, deliveries: list[Delivery], ids: Mapping[str, str], delay: float
    ) -> None:
        await asyncio.sleep(delay)
        # Proxies of the environment lead elsewhere, and the receiver is on this machine.
        async with httpx.AsyncClient(timeout=10, trust_env=False) as client:
            for one in deliveries:
                body = json.dumps(_event(ids[one.type], one.type, intent)).encode()
                await self._deliver(client, one, body)

    async def _deliver(self, client: httpx.AsyncClient, one: Delivery, body: bytes) -> None:
        for _ in range(TRIES):
            # Each try is signed anew, as Stripe does.
            headers = {
                **self._receiver.headers,
                "Content-Type": "application/json",
                "Stripe-Signature": sign(body, self._receiver.secret, int(time.time())),
            }
            try:
                async with self._turns:
                    answer = await client.post(self._receiver.url, content=body, headers=headers)
                one.answers.append(answer.status_code)
            except httpx.HTTPError:
                one.answers.append(0)
            if 200 <= one.answers[-1] < 300:
                one.state = "delivered"
                return
            await asyncio.sleep(self._pause)
        one.state = "given up"


def _event(event_id: str, type_: str, intent: Intent) -> dict[str, Any]:
    return {
        "id": event_id,
        "object": "event",
        "created": int(time.time()),
        "data": {"object": intent.body()},
        "livemode": False,
        "type": type_,
    }
