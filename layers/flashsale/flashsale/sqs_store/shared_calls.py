"""Pushes that are under way at the same time share calls of SQS.

Each push keeps its own message, its own outcome and its own time limit.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flashsale.domain.messages import MESSAGES_PER_CALL
from flashsale.errors import FlashsaleError, MessageRefused, PushRefused, PushUncertain
from flashsale.sqs_store.errors import EntryRefused, NeverSent, certainly_refused, is_bug

# Calls that carry one message at most.
ATTEMPTS = 3
# Calls in flight at once.
CALLS = 8
# Bytes of all messages in one call. SQS takes 1 MiB, and on some accounts 256 KiB.
BYTES_PER_CALL = 256 * 1024
# Seconds. A push waits no longer for the calls in flight, so a slow call holds up no other.
PATIENCE = 0.02

# Sends one call with these bodies, and returns the answer of SQS.
SendBatch = Callable[[Sequence[str]], Awaitable[Mapping[str, Any]]]


@dataclass(eq=False, slots=True)
class Push:
    """One message on its way.

    Attributes:
        name: what errors call it.
        end: the moment at which its sender gives up, by the clock of the event loop.
        last_start: the moment after which no further attempt starts.
        answer: ends with None when SQS has the message, or with an error of `carry`.
        attempts: calls that have carried it.
        uncertain: the last error after which SQS may have the message.
        alone: whether it shares no call, because SQS rejected a call that it was in.

    """

    name: str
    body: str
    end: float
    last_start: float
    answer: asyncio.Future[None]
    attempts: int = 0
    uncertain: Exception | None = None
    alone: bool = False


class SharedCalls:
    """Sends pushes, up to 10 in one call.

    A push leaves at once if no call is in flight. Otherwise it waits for one of these: the end of a
    call, a full call, or `PATIENCE`. So no push waits for company, and under load a call carries
    what arrived while the one before was in flight.
    """

    def __init__(self, send_batch: SendBatch) -> None:
        self._send_batch = send_batch
        self._waiting: deque[Push] = deque()
        self._calls: set[asyncio.Task[None]] = set()
        self._next_look: asyncio.Handle | None = None

    async def carry(self, push: Push) -> None:
        """Send a message, and wait for its outcome. An uncertain attempt is repeated.

        If the caller is cancelled, the message is sent nevertheless.

        Raises:
            PushRefused: the message is certainly not in the queue.
            MessageRefused: as PushRefused, because of a bug.
            PushUncertain: the message may be in the queue.

        """
        self._waiting.append(push)
        if not self._calls or len(self._waiting) >= MESSAGES_PER_CALL:
            self._look_soon()
        elif self._next_look is None:
            self._look_after(PATIENCE)
        clock = asyncio.get_running_loop().call_at(push.end, self._give_up, push)
        try:
            await push.answer
        finally:
            clock.cancel()

    def _look_soon(self) -> None:
        """Let calls leave in the next turn of the loop, so that the pushes of this turn share."""
        if self._next_look is not None:
            self._next_look.cancel()
        self._next_look = asyncio.get_running_loop().call_soon(self._look)

    def _look_after(self, seconds: float) -> None:
        self._next_look = asyncio.get_running_loop().call_later(seconds, self._look)

    def _look(self) -> None:
        """Let a call leave. Let full calls leave, too. What is left waits for `PATIENCE`."""
        self._next_look = None
        first = True
        while len(self._calls) < CALLS and self._waiting:
            if not first and len(self._waiting) < MESSAGES_PER_CALL:
                break
            first = False
            call = asyncio.create_task(self._send(self._take_group()))
            self._calls.add(call)
            call.add_done_callback(self._ended)
        if self._waiting:
            self._look_after(PATIENCE)

    def _ended(self, call: asyncio.Task[None]) -> None:
        self._calls.discard(call)
        if self._waiting:
            self._look_soon()

    def _take_group(self) -> list[Push]:
        group = [self._waiting.popleft()]
        size = len(group[0].body.encode())
        while self._waiting and len(group) < MESSAGES_PER_CALL:
            push = self._waiting[0]
            size += len(push.body.encode())
            if size > BYTES_PER_CALL or push.alone or group[0].alone:
                break
            group.append(self._waiting.popleft())
        return group

    async def _send(self, group: Sequence[Push]) -> None:
        for push in group:
            push.attempts += 1
        try:
            errors = _errors(await self._send_batch([push.body for push in group]), len(group))
        except Exception as error:  # noqa: BLE001 - each push decides what it means
            if len(group) > 1 and is_bug(error):
                # One message may have spoilt the call, so a call of its own judges each.
                for push in group:
                    push.alone = True
                self._waiting.extendleft(reversed(group))
                return
            errors = [error] * len(group)
        attempts = zip(group, errors, strict=True)
        again = [push for push, outcome in attempts if self._ends_without_answer(push, outcome)]
        self._waiting.extendleft(reversed(again))

    @staticmethod
    def _ends_without_answer(push: Push, error: Exception | None) -> bool:
        """End an attempt. Return whether the push needs another one."""
        if push.answer.done():  # its sender gave up or was cancelled
            return False
        if error is None:
            push.answer.set_result(None)
        elif push.uncertain is None and certainly_refused(error):
            # A rejection is certain only if no earlier attempt may have succeeded.
            _fail(push, MessageRefused if is_bug(error) else PushRefused, error)
        else:
            push.uncertain = error
            now = asyncio.get_running_loop().time()
            if push.attempts < ATTEMPTS and now <= push.last_start:
                return True
            _fail(push, PushUncertain, error)
        return False

    def _give_up(self, push: Push) -> None:
        if push.answer.done():
            return
        waits = push in self._waiting
        if waits:
            self._waiting.remove(push)
        if waits and push.uncertain is None:
            _fail(push, PushRefused, NeverSent("no call was free in time"))
        else:
            _fail(push, PushUncertain, push.uncertain or TimeoutError("no answer in time"))


def _errors(answer: Mapping[str, Any], messages: int) -> list[Exception | None]:
    """Return what SQS says of each message of a call: None if it has the message."""
    errors: list[Exception | None] = [
        ValueError("the response says nothing of this message") for _ in range(messages)
    ]
    for failure in answer.get("Failed") or []:
        # Without a fault of the sender, SQS failed while it had the message in its hands.
        kind = EntryRefused if failure.get("SenderFault") else RuntimeError
        errors[int(failure["Id"])] = kind(f"{failure['Code']}: {failure.get('Message', '')}")
    for taken in answer.get("Successful") or []:
        errors[int(taken["Id"])] = None
    return errors


def _fail(push: Push, kind: type[FlashsaleError], cause: Exception) -> None:
    rejected = "may have" if kind is PushUncertain else "rejected"
    error = kind(f"SQS {rejected} {push.name}: {cause}")
    error.__cause__ = cause
    push.answer.set_exception(error)
