"""10,000 connections to the ASGI edge that send single bytes (slowloris)."""

import asyncio
import dataclasses
import resource
import socket
from contextlib import suppress

import psutil
import pytest

from flashsale_local.stack import edge as edge_programs
from flashsale_local.stack.program import HOST, free_port
from tests.helpers.edges import Asgi
from tests.helpers.patience import patient
from tests.helpers.support import eventually, until

CONNECTIONS = 10_000
# Files that this process and the edge need in addition to the connections.
OTHERS = 500
# One kind never completes its headers, the other never completes its body.
HEADERS = b"POST /api/v5/buy HTTP/1.1\r\nHost: x\r\nX-Slow: "
BODY = HEADERS + b"1\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"


@pytest.fixture
def files():
    """Raise the limit of open files as far as needed, because macOS rejects "unlimited"."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    soft, hard = before
    needed = CONNECTIONS + OTHERS
    assert hard == resource.RLIM_INFINITY or hard >= needed, "see `ulimit -Hn`"
    if soft != resource.RLIM_INFINITY:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, needed), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.fixture
def edge(stack, migrated, target):
    """Start a separate edge, whose files and memory no other test uses."""
    program = edge_programs.web(stack.directory / "slow", free_port(), target, workers=2)
    (stack.directory / "slow").mkdir(exist_ok=True)
    program = dataclasses.replace(patient(program), name="slow-edge")
    stack.add(program)
    yield Asgi(program.url)
    stack.supervisor.stop_program(program.name)


@pytest.fixture
def workers(stack, edge):
    leader = psutil.Process(stack.supervisor.info()["slow-edge"]["pid"])
    return [leader, *leader.children(recursive=True)]


def files_of(workers):
    return sum(worker.num_fds() for worker in workers)


def memory_of(workers):
    return sum(worker.memory_info().rss for worker in workers)


@pytest.mark.timeout(600)
async def test_buyers_are_served_among_10_000_slow_connections(edge, workers, shop, files):
    await asyncio.to_thread(edge.request, "POST", "/api/v5/buy", shop.body())
    open_files, memory = files_of(workers), memory_of(workers)

    connections = await dial(edge.port, CONNECTIONS)
    dribbling = asyncio.create_task(dribble(connections))
    try:
        await until(lambda: _now(files_of(workers) >= open_files + CONNECTIONS))
        for _ in range(10):
            bought = await asyncio.to_thread(edge.request, "POST", "/api/v5/buy", shop.body())
            assert bought.status == 202
        assert files_of(workers) >= open_files + CONNECTIONS, (
            "the connections stayed open all the time"
        )
        held = memory_of(workers) - memory
        # The clients do not close the connections, so the edge must.
        await until(lambda: _now(files_of(workers) <= open_files + OTHERS), 120)
    finally:
        dribbling.cancel()
        with suppress(asyncio.CancelledError):
            await dribbling
        for connection in connections:
            connection.close()

    assert held < CONNECTIONS * 64 * 1024
    assert all(worker.is_running() for worker in workers)
    # Freed memory is reused: a second wave needs no more than the first.
    for connection in await dial(edge.port, CONNECTIONS):
        connection.close()
    eventually(lambda: files_of(workers) <= open_files + OTHERS)
    assert memory_of(workers) - memory < held + CONNECTIONS * 8 * 1024
    assert edge.request("POST", "/api/v5/buy", shop.body()).status == 202


async def _now(value):
    return value


async def dial(port, count):
    """Open this many connections and send something on each."""
    loop, gate = asyncio.get_running_loop(), asyncio.Semaphore(256)

    async def one(number):
        connection = socket.socket()
        connection.setblocking(False)
        async with gate:
            await loop.sock_connect(connection, (HOST, port))
            await loop.sock_sendall(connection, BODY if number % 2 else HEADERS)
        return connection

    return await asyncio.gather(*(one(number) for number in range(count)))


async def dribble(connections):
    """Send single bytes on each connection until it is closed."""
    left = list(connections)
    while left:
        for connection in list(left):
            try:
                connection.send(b"x")
            except BlockingIOError:
                pass
            except OSError:
                left.remove(connection)
        await asyncio.sleep(1)
