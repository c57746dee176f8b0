"""An HTTP endpoint: its address, and the headers that each request needs."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx


@dataclass(frozen=True)
class Endpoint:
    """The address of an API.

    Attributes:
        url: without a slash at the end.
        headers: headers of each request. An emulator may tell functions apart by Host.

    """

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)

    def client(self) -> httpx.AsyncClient:
        """Return a client of this API."""
        return httpx.AsyncClient(base_url=self.url, headers=dict(self.headers), timeout=60)

    @property
    def curl(self) -> str:
        """The address as an argument of curl."""
        return " ".join(
            [*(f"-H '{name}: {value}'" for name, value in self.headers.items()), self.url]
        )
