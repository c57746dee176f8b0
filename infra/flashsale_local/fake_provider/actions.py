"""What a buyer does at the fake provider, and what the provider tells the shop then."""

import asyncio
from collections.abc import Callable
from enum import StrEnum

from flashsale_local.fake_provider.intents import Intent, Intents
from flashsale_local.fake_provider.webhooks import FAILED, Webhooks, Wish

# Seconds that a late payment and a slow webhook take.
SECONDS = 60


class Action(StrEnum):
    """What the page of a payment offers."""

    PAY = "pay"
    DECLINE = "decline"
    LATE = "late"
    TWICE = "twice"
    WRONG = "wrong"
    SLOW = "slow"


class Actions:
    """Changes payments as buyers do, and sends the webhooks."""

    def __init__(self, intents: Intents, webhooks: Webhooks, seconds: float = SECONDS) -> None:
        self._intents, self._webhooks, self._seconds = intents, webhooks, seconds

    def act(self, intent_id: str, action: Action) -> None:
        """Do what one button of the page says."""
        doings: dict[Action, Callable[[], object]] = {
            Action.PAY: lambda: self.pay(intent_id, Wish()),
            Action.DECLINE: lambda: self._decline(intent_id),
            Action.LATE: lambda: self.pay(intent_id, Wish(processing=self._seconds)),
            Action.TWICE: lambda: self._pay_twice(intent_id),
            Action.WRONG: lambda: self._pay_wrong_amount(intent_id),
            Action.SLOW: lambda: self.pay(intent_id, Wish(delay=self._seconds)),
        }
        doings[action]()

    def pay(self, intent_id: str, wish: Wish) -> Intent:
        """Pay; the payment succeeds at once, or when it is no longer in progress."""
        intent = self._intents.begin(intent_id)
        if wish.processing:
            self._webhooks.in_background(self._succeed_later(intent, wish))
        else:
            self._succeed(intent, wish)
        return intent

    async def _succeed_later(self, intent: Intent, wish: Wish) -> None:
        await asyncio.sleep(wish.processing)
        self._succeed(intent, wish)

    def _succeed(self, intent: Intent, wish: Wish) -> None:
        intent.succeed(wish.amount)
        self._webhooks.send(intent, wish)

    def _decline(self, intent_id: str) -> None:
        self._webhooks.send(self._intents.decline(intent_id), Wish(), FAILED)

    def _pay_twice(self, intent_id: str) -> None:
        first = self.pay(intent_id, Wish())
        self.pay(self._intents.repeat(first).id, Wish())

    def _pay_wrong_amount(self, intent_id: str) -> None:
        due = self._intents.get(intent_id).amount
        self.pay(intent_id, Wish(amount=due - 1 or due + 1))
