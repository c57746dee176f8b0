"""The live page of a deployed application, in a real browser."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import httpx
import pytest
from playwright.async_api import Browser, Page

from flashsale_local.deployment.target import Target
from flashsale_local.paths import ROOT
from flashsale_local.stack.program import free_port
from flashsale_local.stack.stack import Stack
from tests.e2e.conftest import deployed  # noqa: F401 - a fixture
from tests.helpers import browser
from tests.helpers.support import eventually

SCREENSHOTS = ROOT / ".local" / "screenshots"
SERVE = """
import sys
from pathlib import Path
from flashsale_local.live_page.server import serve
serve(Path(sys.argv[1]), "127.0.0.1", int(sys.argv[2]), show=False, report=print)
"""
POINTERS = ("AWS_ENDPOINT_URL", "REDIS_URL", "DATABASE_URL", "FLASHSALE_STACK", "EMULATOR")


@pytest.fixture(scope="session")
def asgi_url(stack: Stack, deployed: Target) -> str:  # noqa: F811
    """Start the fake provider and the ASGI edge, as `make demo` does, and save their addresses."""
    return browser.serve(stack, deployed, "sk_test_monitor").url


@contextmanager
def served(stack: Stack, **environment: str) -> Iterator[str]:
    """Serve the page of this stack from a process of its own. Yield its address."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name not in POINTERS and not name.startswith("PYTEST")
    }
    log = stack.directory / "logs" / f"monitor-{port}.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", SERVE, str(stack.directory), str(port)],
            env={**inherited, **environment}, stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip

        def answers():
            assert process.poll() is None, log.read_text()
            try:
                return httpx.get(url).status_code == 200
            except httpx.TransportError:
                return False

        try:
            eventually(answers)
            yield url
        finally:
            process.terminate()
            process.wait(60)
    assert "Traceback" not in log.read_text(), log.read_text()


@pytest.fixture(scope="session")
def url(stack: Stack, asgi_url: str) -> Iterator[str]:
    """Serve the page of the local stack."""
    with served(stack) as address:
        yield address


@pytest.fixture(autouse=True)
def postgres_runs(stack: Stack) -> Iterator[None]:
    """Start PostgreSQL again after a test that stopped it."""
    yield
    stack.start(stack.database)


@pytest.fixture
async def chromium() -> AsyncIterator[Browser]:
    """Start Debian's browser. Playwright downloads none."""
    async with browser.chromium() as chromium:
        yield chromium


@pytest.fixture
async def visit(chromium):
    """Return a function that opens the page: `await visit(url, width=360, color_scheme="dark")`.

    Fail at the end if a console has shown an error or a request has left this machine.
    """
    complaints = browser.Complaints()

    async def visit(address, width=1200, height=900, color_scheme="light") -> Page:
        page = await chromium.new_page(
            viewport={"width": width, "height": height}, color_scheme=color_scheme
        )
        complaints.watch(page)
        await page.goto(address)
        return page

    yield visit
    assert not complaints.found


@pytest.fixture
async def page(visit, url) -> Page:
    """Open the page on a desktop, in light mode."""
    return await visit(url)
