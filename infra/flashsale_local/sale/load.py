"""Concurrent purchase attempts over HTTP, with the latency of each."""

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import httpx

from flashsale_local.clouds.endpoint import Endpoint
from flashsale_local.sale.answers import AnswerKind, classify_answer

# Seconds. A throttled attempt (429) waits about this long and retries. Its latency includes that.
THROTTLE_PAUSE = 0.05
THROTTLE_TRIES = 400


@dataclass(frozen=True, slots=True)
class Answer:
    """One attempt: the kind of its answer, its seconds, and how often it was throttled.

    Attributes:
        status: the HTTP status; 0 without an answer.

    """

    kind: AnswerKind
    seconds: float
    throttled: int = 0
    detail: str = ""
    status: int = 0


async def buy_all(
    endpoint: Endpoint,
    generation: int,
    product_id: str,
    users: Sequence[str],
    connections: int,
    report: Callable[[Answer], None],
) -> list[Answer]:
    """Buy once for each user, over so many concurrent connections."""
    waiting = iter(users)
    answers: list[Answer] = []
    async with endpoint.client() as client:

        async def buyer() -> None:
            for user_id in waiting:
                body = {"productId": product_id, "userId": user_id}
                answer = await _attempt(client, f"/api/v{generation}/buy", body)
                answers.append(answer)
                report(answer)

        await asyncio.gather(*(buyer() for _ in range(connections)))
    return answers


async def _attempt(client: httpx.AsyncClient, path: str, body: dict[str, str]) -> Answer:
    started = time.perf_counter()
    for throttled in range(THROTTLE_TRIES):
        try:
            response = await client.post(path, json=body)
        except httpx.HTTPError as error:
            return Answer(AnswerKind.FAILED, time.perf_counter() - started, throttled, repr(error))
        kind = classify_answer(response.status_code, response.content)
        if kind is not AnswerKind.THROTTLED:
            detail = f"{response.status_code} {response.text[:200]}"
            seconds = time.perf_counter() - started
            return Answer(kind, seconds, throttled, detail, response.status_code)
        await asyncio.sleep(THROTTLE_PAUSE * random.uniform(0.5, 1.5))  # noqa: S311 - jitter
    return Answer(AnswerKind.THROTTLED, time.perf_counter() - started, THROTTLE_TRIES, "throttled")
