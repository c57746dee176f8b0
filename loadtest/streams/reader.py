"""A small client of live streams, so that one process can hold thousands of them."""

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, cast

ANSWER_TIME = 30.0


class Event(NamedTuple):
    """A server-sent event, and when it was read, in seconds since 1970."""

    name: str
    data: Any
    at: float


class Reader(asyncio.Protocol):
    """One connection with one stream.

    Attributes:
        status: of the answer; 0 before it.
        headers: of the answer, with names in lower case.
        body: what came of an answer that is no stream.
        events: all of them, unless `keep` is false. Then the newest one.
        comments: how many came.
        retry: what the server asked for last, in milliseconds; 0 for nothing.
        closed: whether the answer or the connection has ended.

    """

    def __init__(self, *, keep: bool = True) -> None:
        self.status, self.comments, self.retry = 0, 0, 0
        self.headers: dict[str, str] = {}
        self.events: list[Event] = []
        self.body = b""
        self.closed = False
        self._keep = keep
        self._came = asyncio.Event()
        self._raw = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the connection."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's class has another base

    def data_received(self, data: bytes) -> None:
        """Read what came."""
        self._raw += data
        if not self.status and not self._read_head():
            return
        if "content-length" in self.headers:
            self.body += self._raw
            self._raw = b""
            self.closed = len(self.body) >= int(self.headers["content-length"])
        else:
            self._read_chunks()
        self._came.set()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's
        """Note the end."""
        self.closed = True
        self._came.set()

    def ask(self, path: str, headers: Mapping[str, str]) -> None:
        """Send the request."""
        lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        self._transport.write("\r\n".join([*lines, "Host: streams", "", ""]).encode())

    async def wait(self, condition: Callable[[], Any], seconds: float = ANSWER_TIME) -> None:
        """Wait for a condition, which is asked when something came.

        Raises:
            TimeoutError: it did not become true.

        """
        async with asyncio.timeout(seconds):
            while not condition():
                self._came.clear()
                await self._came.wait()

    async def event(
        self, name: str, fits: Callable[[Any], Any] = lambda _: True, *, after: int = 0
    ) -> Event:
        """Return the first event with this name and fitting data, from this number on."""
        found: list[Event] = []

        def came() -> bool:
            found[:] = [one for one in self.events[after:] if one.name == name and fits(one.data)]
            return bool(found)

        await self.wait(came)
        return found[0]

    def stop_reading(self) -> None:
        """Read nothing more, so that the buffers of the connection fill."""
        self._transport.pause_reading()

    def close(self) -> None:
        """Close the connection."""
        self._transport.abort()

    def _read_head(self) -> bool:
        head, found, rest = self._raw.partition(b"\r\n\r\n")
        if found:
            first, *lines = head.decode("latin-1").split("\r\n")
            self.status = int(first.split(" ")[1])
            pairs = (line.partition(":") for line in lines)
            self.headers = {name.lower(): value.strip() for name, _, value in pairs}
            self._raw = rest
        return bool(found)

    def _read_chunks(self) -> None:
        while b"\r\n" in self._raw:
            size, _, rest = self._raw.partition(b"\r\n")
            length = int(size, 16)
            if len(rest) < length + 2:
                return
            self._raw = rest[length + 2 :]
            if not length:
                self.closed = True
                return
            self._read_frames(rest[:length].decode())

    def _read_frames(self, text: str) -> None:
        for frame in text.split("\n\n"):
            fields = dict(line.partition(": ")[::2] for line in frame.split("\n") if line)
            self.retry = int(fields.get("retry", self.retry))
            if "event" in fields:
                event = Event(fields["event"], json.loads(fields["data"]), time.time())
                self.events = [*self.events, event] if self._keep else [event]
            elif fields:
                self.comments += 1


async def open_stream(
    port: int, path: str, headers: Mapping[str, str] | None = None, *, keep: bool = True
) -> Reader:
    """Open a stream on this machine, and wait for the head of its answer."""
    loop = asyncio.get_running_loop()
    _, reader = await loop.create_connection(lambda: Reader(keep=keep), "127.0.0.1", port)
    reader.ask(path, headers or {})
    await reader.wait(lambda: reader.status or reader.closed)
    return reader
