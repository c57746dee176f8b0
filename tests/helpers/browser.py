"""Chromium for tests, and what its pages must not do."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from playwright.async_api import Browser, Page, async_playwright, expect

from flashsale_local.deployment.target import Target
from flashsale_local.stack import edge
from flashsale_local.stack.fake_provider import fake_provider
from flashsale_local.stack.program import Program, free_port
from flashsale_local.stack.stack import Stack
from tests.helpers.patience import patient

# Milliseconds that the server may take to answer on a busy machine.
expect.set_options(timeout=30_000)

CHROMIUM = "/usr/bin/chromium"
QUIET = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Start Debian's browser. Playwright downloads none."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        await browser.close()


@dataclass
class Complaints:
    """What pages did that they must not do: errors in the console, and requests to other hosts.

    Attributes:
        of_answers: whether an error counts that Chromium writes for an answer of 400 and above, or
            for none.

    """

    of_answers: bool = True
    found: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        """Collect the complaints of a page from now on."""
        page.on("console", self._check_message)
        page.on("pageerror", lambda error: self.found.append(f"script: {error}"))
        page.on("request", self._check_request)
        page.on("websocket", self._check_request)

    def _check_message(self, message):
        is_answer = message.text.startswith("Failed to load resource")
        if message.type in ("error", "warning") and (self.of_answers or not is_answer):
            self.found.append(f"console: {message.text}")

    def _check_request(self, request):
        parts = urlsplit(request.url)
        if parts.scheme not in ("data", "blob") and parts.hostname != "127.0.0.1":
            self.found.append(f"left this machine: {request.url}")


def serve(stack: Stack, deployed: Target, provider_key: str, **more: str) -> Program:
    """Start the fake provider and the ASGI edge, as `make demo` does, and save their addresses.

    Return the edge; `more` are environment variables of it.
    """
    target = replace(deployed, provider_key=provider_key)
    provider = fake_provider(free_port(), target)
    stack.add(provider)
    target = replace(target, provider_url=provider.url)
    web = patient(edge.web(stack.directory, free_port(), target, workers=2, **more))
    stack.add(web)
    stack.add(edge.relay(target))
    replace(target, asgi_url=web.url).save(stack.directory)
    return web
