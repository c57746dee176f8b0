"""Where buyers need a token, it stays in the memory of the page, and comes for its own request."""

import secrets
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from playwright.async_api import expect

from flashsale_local.deployment.sign_in import mint
from flashsale_local.stack import edge as edges
from flashsale_local.stack.fake_sign_in import fake_sign_in
from flashsale_local.stack.program import free_port
from tests.shop.shop import ROOM

USER = "u-00123"
# Everything that outlives the page, and what the browser shows of it.
KEPT = """async () => JSON.stringify([
  { ...localStorage }, { ...sessionStorage }, document.cookie, location.href,
  await indexedDB.databases(), await caches.keys(), history.state,
])"""


@pytest.fixture(scope="module")
def secured(stack, deployed, edge):
    """Start a second edge, whose buyers need tokens, and the sign-in of made-up users."""
    port = free_port()
    target = replace(deployed, auth="jwt", token_secret=secrets.token_urlsafe(32))
    sign_in = fake_sign_in(free_port(), port, target)
    stack.add(sign_in)
    target = replace(target, sign_in_url=sign_in.url)
    program = edges.web(stack.directory, port, target, workers=1)
    metrics = {"PROMETHEUS_MULTIPROC_DIR": str(stack.directory / "metrics-secured")}
    environment = program.environment | metrics
    stack.add(replace(program, name="edge-secured", environment=environment))
    yield replace(target, asgi_url=program.url)
    for name in ("edge-secured", sign_in.name):
        stack.supervisor.remove(name)


@pytest.fixture
def shop(shop, secured):
    return replace(shop, url=secured.asgi_url)


async def _sign_in(buyer):
    await buyer.press("Sign in")
    await buyer.page.get_by_label("Your user id").fill(USER)
    await buyer.press("Continue")
    await expect(buyer.page.get_by_text(f"You are {USER}.")).to_be_visible()


@pytest.mark.parametrize("live", ["stream", "poll"])
async def test_a_token_is_in_the_memory_of_the_page_only(shop, live):
    buyer = await shop.by(live).visit(await shop.sale(room=ROOM, hold=3600), user=USER)
    urls, tokens = [], set()
    buyer.page.on("request", lambda request: urls.append(request.url))
    buyer.page.on(
        "request", lambda request: tokens.add(request.headers.get("authorization", "")[7:])
    )

    await _sign_in(buyer)
    await buyer.press("Join the queue")
    await buyer.buy()
    await buyer.sees("reserved")

    (token,) = tokens - {""}
    assert token.count(".") == 2
    kept = await buyer.page.evaluate(KEPT)
    assert token not in kept
    assert "token" not in kept
    parts = [urlsplit(url) for url in urls]
    assert not any(token in f"{one.path}?{one.query}" for one in parts)
    await buyer.page.go_back()
    assert token not in buyer.page.url


async def test_a_reload_asks_to_sign_in_again_and_goes_on(shop):
    buyer = await shop.visit(await shop.sale(hold=3600), user=USER)
    await buyer.sees("turn")
    await _sign_in(buyer)
    await buyer.buy()
    await buyer.sees("reserved")
    address = buyer.page.url

    await buyer.page.reload()
    await _sign_in(buyer)

    await buyer.sees("reserved")
    assert buyer.page.url == address


@pytest.mark.parametrize("state", ["", "&state=", "&state=guessed"])
async def test_a_link_of_somebody_else_signs_nobody_in(shop, secured, state):
    token = mint(secured.token_secret, USER, admin=False, minutes=5)
    product_id = await shop.sale(room=ROOM)

    buyer = await shop.visit(product_id, fragment=f"#token={token}{state}")

    await buyer.page.get_by_role("button", name="Sign in").wait_for()
    assert token not in buyer.page.url
    assert token not in await buyer.page.evaluate(KEPT)
    await expect(buyer.page.locator("#who")).to_be_empty()


async def test_an_answer_to_another_request_signs_nobody_in(shop, secured):
    token = mint(secured.token_secret, USER, admin=False, minutes=5)
    product_id = await shop.sale(room=ROOM)
    buyer = await shop.visit(product_id)
    await buyer.press("Sign in")
    await buyer.page.wait_for_url("**/sign-in?*")

    await buyer.page.goto(f"{shop.url}/shop/{product_id}#token={token}&state=guessed")

    await buyer.page.get_by_role("button", name="Sign in").wait_for()
    await expect(buyer.page.locator("#who")).to_be_empty()
    assert await buyer.page.evaluate("localStorage['flashsale:sign-in']") == "null"


async def test_the_address_of_a_receipt_outlives_a_sign_in(shop):
    phone = await shop.visit(await shop.sale(), user=USER)
    await _sign_in(phone)
    await phone.buy()
    await phone.sees("paid")
    address = phone.page.url
    desk = await shop.visit(phone.product_id, user=USER, fragment=address[address.index("#") :])

    await _sign_in(desk)

    await desk.sees("paid")
    assert desk.page.url == address


async def test_the_receipt_of_another_buyer_is_not_shown(shop, secured):
    product_id = await shop.sale()
    headers = {
        "authorization": f"Bearer {mint(secured.token_secret, 'u-00124', admin=False, minutes=5)}"
    }
    answer = await shop.http.post(
        f"{shop.url}/api/v5/buy", json={"productId": product_id}, headers=headers
    )
    order = answer.raise_for_status().json()["orderId"]
    buyer = await shop.visit(product_id, user=USER, fragment=f"#order={order}")

    await _sign_in(buyer)

    await buyer.sees("unknown")


async def test_an_order_is_found_again_when_all_is_sold(shop):
    buyer = await shop.visit(await shop.sale(1, hold=3600), user=USER)
    await buyer.sees("turn")
    await _sign_in(buyer)
    await buyer.buy()
    await buyer.sees("reserved")
    await buyer.page.reload()
    await buyer.sees("sold_out")

    await _sign_in(buyer)

    await buyer.sees("reserved")
