"""Purchase attempts over HTTP, many at a time, each timed."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import httpx

# A throttled attempt (429) waits and tries again: so would a browser.
THROTTLE_PAUSE = 0.05
THROTTLE_TRIES = 200


class Kind(StrEnum):
    """What an attempt ended in."""

    ACCEPTED = "accepted"
    SOLD_OUT = "sold out"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Answer:
    """One attempt: what it ended in, and the seconds from request to answer."""

    kind: Kind
    seconds: float
    detail: str = ""


async def warm_up(api_url: str, connections: int) -> None:
    """Start as many execution environments of buy as there will be connections."""
    async with httpx.AsyncClient(base_url=api_url, timeout=60) as client:
        for _ in range(2):
            await asyncio.gather(*(client.get("/health") for _ in range(connections)))


async def buy_all(
    api_url: str,
    generation: int,
    product_id: str,
    users: Sequence[str],
    connections: int,
    report: Callable[[Answer], None],
) -> list[Answer]:
    """One attempt for each user, `connections` of them at a time."""
    waiting = iter(users)
    answers: list[Answer] = []
    async with httpx.AsyncClient(base_url=api_url, timeout=60) as client:

        async def buyer() -> None:
            for user_id in waiting:
                body = {"productId": product_id, "userId": user_id}
                answer = await _attempt(client, f"/api/v{generation}/buy", body)
                answers.append(answer)
                report(answer)

        await asyncio.gather(*(buyer() for _ in range(connections)))
    return answers


async def _attempt(client: httpx.AsyncClient, path: str, body: dict[str, str]) -> Answer:
    for _ in range(THROTTLE_TRIES):
        started = time.perf_counter()
        try:
            response = await client.post(path, json=body)
        except httpx.HTTPError as error:
            return Answer(Kind.ERROR, time.perf_counter() - started, repr(error))
        if response.status_code != httpx.codes.TOO_MANY_REQUESTS:
            return _classify(response, time.perf_counter() - started)
        await asyncio.sleep(THROTTLE_PAUSE)
    return Answer(Kind.ERROR, time.perf_counter() - started, "throttled")


def _classify(response: httpx.Response, seconds: float) -> Answer:
    if response.status_code in (httpx.codes.CREATED, httpx.codes.ACCEPTED):
        return Answer(Kind.ACCEPTED, seconds)
    if response.status_code == httpx.codes.BAD_REQUEST and "Out of stock" in response.text:
        return Answer(Kind.SOLD_OUT, seconds)
    return Answer(Kind.ERROR, seconds, f"{response.status_code} {response.text[:200]}")
