"""For the state machine: a queue that keeps all messages, and services that count steps."""

import inspect

from flashsale.errors import PushRefused, PushUncertain


class Crash(BaseException):
    """The process crashes. No code may catch this."""


class Messages:
    """Keeps all messages. The next calls may fail, before or after their effect."""

    def __init__(self):
        self.messages = []
        self.faults = []

    async def waiting(self, url=""):
        return 0 if url else len(self.messages)

    async def send(self, envelopes):
        fault = self.faults.pop() if self.faults else None
        if fault != "refuses":
            self.messages += [envelope.model_dump_json() for envelope in envelopes]
        if fault:
            raise PushRefused(fault) if fault == "refuses" else PushUncertain(fault)


class Steps:
    """Services that count their steps. Each event happens after the step of its number.

    A step is one call of an adapter. Event 0 happens before the first step.
    """

    ADAPTERS = (
        "ledger", "stock", "orders", "products", "audit", "order_queue", "failures", "relay_inbox",
        "database", "unrecorded_pauses", "held_claims", "holds", "payments", "rooms", "room_rows",
    )  # fmt: skip

    def __init__(self, services, events):
        self._services, self._events, self._taken = services, dict(events), 0
        self.settings, self.provider = services.settings, services.provider

    async def _step(self):
        event = self._events.pop(self._taken, None)
        self._taken += 1
        if event:
            await event()

    def __getattr__(self, name):
        adapter = getattr(self._services, name)
        assert name in self.ADAPTERS, name
        return _Counted(adapter, self._step)


class _Counted:
    def __init__(self, adapter, step):
        self._adapter, self._step = adapter, step

    def __getattr__(self, name):
        method = getattr(self._adapter, name)
        if inspect.isasyncgenfunction(method):
            return method  # its consumer's steps are counted

        if "connection" in inspect.signature(method).parameters:
            return method  # part of a transaction, not a step

        async def counted(*arguments, **named):
            await self._step()
            answer = await method(*arguments, **named)
            await self._step()
            return answer

        return counted
