"""The way in over HTTP: an address, and what a client must say there."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx


@dataclass(frozen=True)
class Endpoint:
    """Where an API answers.

    Attributes:
        url: without a slash at its end.
        headers: that each request must carry: an emulator may tell its functions apart by Host.

    """

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)

    def client(self) -> httpx.AsyncClient:
        """A client of this API."""
        return httpx.AsyncClient(base_url=self.url, headers=dict(self.headers), timeout=60)

    @property
    def curl(self) -> str:
        """The address as an argument of curl."""
        return " ".join(
            [*(f"-H '{name}: {value}'" for name, value in self.headers.items()), self.url]
        )
