"""The API's own pages in a real browser, which reaches no other host."""

import subprocess
import sys
from contextlib import contextmanager
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.async_api import async_playwright, expect

from flashsale_local.paths import ROOT
from flashsale_local.stack.program import free_port
from tests.helpers.browser import CHROMIUM, QUIET
from tests.helpers.support import eventually

# Any other name or address has no route.
ALONE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"


@contextmanager
def edge(log, prefix):
    """Serve the buyers' API below this prefix, without stores. Yield its address."""
    port = free_port()
    where = ["--host", "127.0.0.1", "--port", str(port), "--interface", "asgi", "--factory"]
    below = ["--url-path-prefix", prefix] if prefix else []
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "granian", *where, *below,
             "flashsale.http.application:create_app"],
            cwd=ROOT, stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip

        def answers():
            assert process.poll() is None, log.read_text()
            try:
                return httpx.get(f"http://127.0.0.1:{port}{prefix}/openapi.json").is_success
            except httpx.TransportError:
                return False

        try:
            eventually(answers)
            yield f"http://127.0.0.1:{port}{prefix}"
        finally:
            process.terminate()
            process.wait(20)


@pytest.fixture(params=["", "/a/prefix"])
def address(request, tmp_path):
    with edge(tmp_path / "edge.log", request.param) as url:
        yield url


@pytest.fixture
async def page():
    """Open an empty page. Fail at the end if it complained, or asked for another host's."""
    complaints = []

    async def block(route):
        if urlsplit(route.request.url).hostname == "127.0.0.1":
            await route.continue_()
            return
        complaints.append(f"another host: {route.request.url}")
        await route.abort()

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=[*QUIET, ALONE])
        page = await browser.new_page()
        await page.route("**/*", block)
        page.on("console", lambda said: complaints.append(f"console: {said.type} {said.text}"))
        page.on("pageerror", lambda error: complaints.append(f"script: {error}"))
        yield page
        await browser.close()
    assert not complaints


async def test_the_documentation_works_without_any_other_host(page, address):
    await page.goto(f"{address}/docs")

    buy = page.locator("[id$=api_v5_buy_post]")
    await expect(page.get_by_role("heading", name="flashsale")).to_be_visible()
    await expect(buy).to_be_visible()
    await buy.get_by_role("button").first.click()
    await buy.get_by_role("button", name="Try it out").click()
    await expect(buy.get_by_role("button", name="Execute")).to_be_visible()
    # The style sheet is there, too.
    assert await buy.evaluate("node => getComputedStyle(node).borderTopStyle") == "solid"


async def test_the_documentation_sends_requests_to_this_api(page, address):
    asked = []

    async def answer(route):  # this API has no stores
        asked.append(route.request.url)
        await route.fulfill(json={"status": "answered by the test"})

    await page.route("**/health", answer)
    await page.goto(f"{address}/docs")
    operation = page.locator("[id$=health_health_get]")
    await operation.get_by_role("button").first.click()
    await operation.get_by_role("button", name="Try it out").click()

    await operation.get_by_role("button", name="Execute").click()

    await expect(operation.get_by_text("answered by the test")).to_be_visible()
    assert asked == [f"{address}/health"]


async def test_the_front_page_leads_to_the_documentation(page, address):
    await page.goto(f"{address}/")

    await page.get_by_role("link", name="API documentation").click()

    await expect(page).to_have_url(f"{address}/docs")
    await expect(page.locator("[id$=api_v5_buy_post]")).to_be_visible()
