"""Recognizes addresses as those of the stack itself."""

import json
from collections.abc import Container, Mapping
from pathlib import Path
from urllib.parse import urlsplit

# The field of target.json, and the variable that a shell may have set to it, by program.
_ADDRESSES = {
    "valkey": ("redis_url", "REDIS_URL"),
    "postgres": ("database_url", "DATABASE_URL"),
    "ministack": ("endpoint_url", "AWS_ENDPOINT_URL"),
    "localstack": ("endpoint_url", "AWS_ENDPOINT_URL"),
    "edge": ("asgi_url", ""),
    "provider": ("provider_url", ""),
    "sign-in": ("sign_in_url", ""),
    "exporter": ("exporter_url", ""),
    "prometheus": ("prometheus_url", ""),
}


class OwnAddresses:
    """The ports that programs of a stack had when it was started last.

    Args:
        running: the names of the programs that supervisord knows now.

    """

    def __init__(
        self, directory: Path, running: Container[str], environment: Mapping[str, str]
    ) -> None:
        path = directory / "target.json"
        self._saved: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
        self._programs = directory / "programs"
        self._running = running
        self._environment = environment

    def port_of(self, program: str) -> int | None:
        """Return the port that this program keeps; None if it may have any.

        A program that runs keeps its port. So does one whose address the environment still names:
        `flashsale env` has set it, and the stack was stopped since.
        """
        field, variable = _ADDRESSES.get(program, ("", ""))
        url = self._saved.get(field)
        if not url or not (self._programs / f"{program}.conf").exists():
            return None
        named = self._environment.get(variable, "").rstrip("/") == url
        return urlsplit(url).port if named or program in self._running else None
