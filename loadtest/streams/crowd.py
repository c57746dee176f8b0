"""A process that holds many streams of one sale, so that it does not slow the claiming client."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import uvloop

from loadtest.streams.files import allow_files

# Streams of one address; fewer than a worker allows, because chance deals them out to the workers.
OF_ADDRESS = 40
AT_ONCE = 50
READY = b"ready\n"


@contextmanager
def crowd(port: int, product_id: str, count: int) -> Iterator[None]:
    """Let so many clients listen to a sale."""
    command = [sys.executable, "-m", "loadtest.streams.crowd", str(port), product_id, str(count)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdin
        assert process.stdout.readline() == READY, "the streams did not open"
        try:
            yield
        finally:
            process.stdin.close()


class _Client(asyncio.Protocol):
    """Reads a stream, and looks at nothing but its beginning."""

    def __init__(self, request: bytes, began: "asyncio.Future[bytes]") -> None:
        self._request, self._began = request, began

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the request."""
        cast("asyncio.Transport", transport).write(self._request)

    def data_received(self, data: bytes) -> None:
        """Note the status."""
        if not self._began.done():
            self._began.set_result(data[9:12])


async def _hold(port: int, product_id: str, count: int) -> None:
    loop, turns = asyncio.get_running_loop(), asyncio.Semaphore(AT_ONCE)

    async def open_one(number: int) -> bytes:
        # So that each of the workers has its part: the edge trusts proxies of this machine.
        address = f"10.{number // OF_ADDRESS // 250}.{number // OF_ADDRESS % 250}.1"
        head = f"GET /api/v5/products/{product_id}/events HTTP/1.1\r\nHost: bench\r\n"
        request = f"{head}X-Forwarded-For: {address}\r\n\r\n".encode()
        async with turns:
            began: asyncio.Future[bytes] = loop.create_future()
            await loop.create_connection(lambda: _Client(request, began), "127.0.0.1", port)
            return await began

    statuses = await asyncio.gather(*(open_one(number) for number in range(count)))
    assert set(statuses) == {b"200"}, set(statuses)
    sys.stdout.buffer.write(READY)
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    allow_files()
    uvloop.run(_hold(int(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
