"""A process that watches does not wait for a cloud that hangs."""

import asyncio
import socket

import httpx
import pytest
from botocore.exceptions import ReadTimeoutError

from flashsale_server.queues.age import oldest_age
from flashsale_server.queues.emulators import emulator_at

QUEUE = "http://sqs.us-east-1.amazonaws.com/000000000000/orders"


@pytest.fixture
def hangs(monkeypatch):
    """The address of a server that takes connections and never answers."""
    with socket.socket() as port:
        port.bind(("127.0.0.1", 0))
        port.listen(100)
        url = f"http://127.0.0.1:{port.getsockname()[1]}"
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        yield url


@pytest.mark.parametrize("name", ["", "ministack", "localstack"])
async def test_reading_an_age_does_not_hang(hangs, name):
    emulator = emulator_at(hangs if name else "", name)

    with pytest.raises((ReadTimeoutError, httpx.ReadTimeout)):
        async with asyncio.timeout(30):
            await asyncio.to_thread(oldest_age, QUEUE, emulator)
