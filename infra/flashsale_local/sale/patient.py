"""HTTP clients that go on through an outage, as people do who press a button again."""

import asyncio
import random
from collections.abc import Mapping
from typing import Any, Self

import httpx

# A busy or broken server: the same request may be answered later.
LATER = frozenset([429, 500, 502, 503, 504])
# Seconds between two tries: the first pause, and the longest one. Each varies by up to a quarter.
PAUSE, LONGEST_PAUSE = 0.5, 8.0


class Patient:
    """A client with few connections. All requests that it sends can be repeated."""

    def __init__(self, url: str, connections: int) -> None:
        self._client = httpx.AsyncClient(
            base_url=url,
            limits=httpx.Limits(max_connections=connections),
            # For one of the connections a request waits as long as it has to.
            timeout=httpx.Timeout(15, pool=None),
            trust_env=False,  # proxies of the environment lead elsewhere
        )

    async def __aenter__(self) -> Self:
        """Return the client itself."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close all connections."""
        await self._client.aclose()

    async def ask(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        body: Mapping[str, object] | None = None,
    ) -> httpx.Response:
        """Send a request until it is answered, and not by "later"."""
        pause = PAUSE
        while True:
            try:
                answer = await self._client.request(method, path, headers=headers, json=body)
                if answer.status_code not in LATER:
                    return answer
            except httpx.HTTPError:
                pass
            await asyncio.sleep(varied(pause))
            pause = min(LONGEST_PAUSE, pause * 2)


def varied(seconds: float) -> float:
    """Return the time, longer or shorter by up to a quarter, so that not all come at once."""
    return seconds * random.uniform(0.75, 1.25)  # noqa: S311 - no secret


def body_of(answer: httpx.Response) -> dict[str, Any]:
    """Return the JSON object of an answer; {} if it has none."""
    try:
        body = answer.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def retry_after(answer: httpx.Response) -> float:
    """Return the seconds after which to ask again; 1 where nothing is said."""
    said = answer.headers.get("Retry-After", "")
    return float(said) if said.isdecimal() else 1.0
