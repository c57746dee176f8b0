"""Other machines and other sites cannot use the buttons, and foreign servers have none."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.async_api import expect

from flashsale_local.stack.program import free_port
from tests.monitor.conftest import served

SOCKET = "/_nicegui_ws/socket.io/?EIO=4&transport=websocket"
# True if a page can open this websocket.
CONNECT = """url => new Promise(resolve => {
  const socket = new WebSocket(url);
  socket.onmessage = () => resolve(true);
  socket.onerror = () => resolve(false);
})"""


async def test_the_page_itself_may_connect_but_no_page_of_another_site(
    chromium, page, url, asgi_url
):
    socket = url.replace("http", "ws") + SOCKET
    stranger = await chromium.new_page()
    await stranger.goto(f"{asgi_url}/openapi.json")

    assert await page.evaluate(CONNECT, socket)
    assert not await stranger.evaluate(CONNECT, socket)


@pytest.mark.parametrize("path", ["/", SOCKET.replace("=websocket", "=polling")])
@pytest.mark.parametrize("origin", ["https://example.org", "http://127.0.0.1:1", "null"])
def test_a_foreign_origin_is_rejected(url, path, origin):
    own = httpx.get(url + path, headers={"origin": url}, timeout=30)
    foreign = httpx.get(url + path, headers={"origin": origin}, timeout=30)

    assert own.status_code == 200
    assert foreign.status_code == 403
    assert "access-control-allow-origin" not in foreign.headers


def test_a_foreign_name_that_resolves_to_loopback_is_rejected(url):
    """Reject DNS rebinding, where the browser takes this server for the other site."""
    hosts = [f"{name}:{urlsplit(url).port}" for name in ("example.org", "localhost")]

    answers = [httpx.get(url, headers={"host": host}, timeout=30) for host in hosts]

    assert [answer.status_code for answer in answers] == [403, 200]


async def test_no_other_page_can_embed_it_in_a_frame(chromium, url, asgi_url):
    stranger = await chromium.new_page()
    await stranger.goto(f"{asgi_url}/openapi.json")

    await stranger.evaluate(
        "url => new Promise(done => { const f = document.createElement('iframe');"
        " f.onload = done; f.src = url; document.body.append(f); })",
        url,
    )

    assert [frame.url for frame in stranger.frames if frame.url.startswith(url)] == []


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org"])
def test_only_loopback_is_served(host, deployed):
    done = _flashsale("monitor", "--no-open", "--host", host)

    assert done.returncode == 1
    assert "not a loopback address" in " ".join(done.stderr.replace("│", " ").split())


def test_a_taken_port_is_reported(url):
    done = _flashsale("monitor", "--no-open", FLASHSALE_MONITOR_PORT=str(urlsplit(url).port))

    assert done.returncode == 1
    assert "FLASHSALE_MONITOR_PORT" in done.stderr


@pytest.mark.parametrize("variable", ["DATABASE_URL", "REDIS_URL", "AWS_ENDPOINT_URL"])
async def test_the_page_is_read_only_where_servers_are_not_the_stacks_own(
    stack, asgi_url, visit, new_product, variable
):
    await new_product(3)
    own = {
        "DATABASE_URL": stack.database_url,
        "REDIS_URL": stack.redis_url,
        "AWS_ENDPOINT_URL": stack.endpoint_url,
    }[variable]
    # A different spelling stands in for a different address.
    with served(stack, **{variable: own.replace("127.0.0.1", "localhost")}) as address:
        page = await visit(address)

        await expect(page.get_by_text("This page is read-only")).to_be_visible(timeout=30_000)
        await expect(page.get_by_text("3 units = 3 in stock")).to_be_visible(timeout=30_000)
        # Peeking at failed messages stays possible, because it changes nothing.
        changing = page.get_by_role("button").filter(has_not_text="Peek")
        await expect(changing).to_have_count(0)
        await page.close()  # or it would miss its server


async def test_the_page_is_read_only_where_buyers_need_tokens(stack, asgi_url, deployed, visit):
    target = replace(deployed, asgi_url=asgi_url)
    replace(target, auth="jwt").save(stack.directory)
    try:
        with served(stack) as address:
            page = await visit(address)

            await expect(page.get_by_text("read-only: buyers need a token")).to_be_visible()
            await expect(page.get_by_role("button", name="Open a sale")).to_have_count(0)
            await page.close()  # or it would miss its server
    finally:
        target.save(stack.directory)


def _flashsale(*arguments, **environment):
    return subprocess.run(
        [Path(sys.executable).parent / "flashsale", *arguments],
        env={**os.environ, "FLASHSALE_MONITOR_PORT": str(free_port()), **environment},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
