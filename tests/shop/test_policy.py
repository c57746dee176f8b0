"""The page runs under its policy: no script but its own files, no cookie, no other host."""

import pytest
from playwright.async_api import expect

from tests.shop.shop import ROOM
from tests.shop.test_states import of
from tests.shop.ways import WAYS

INLINE = """() => [...document.querySelectorAll('*')].flatMap((one) => [...one.attributes]
  .filter(({ name }) => name.startsWith('on')).map(({ name }) => `${one.tagName} ${name}`))
  .concat([...document.querySelectorAll('style, script:not([src])')].map((one) => one.outerHTML))"""


@pytest.mark.parametrize("name", WAYS)
async def test_a_state_keeps_to_the_policy(gallery, everything, name):
    buyer = of(gallery, name)
    await buyer.sees(WAYS[name].state)

    assert everything.complaints.found == []
    assert await buyer.page.evaluate(INLINE) == []
    assert await buyer.page.context.cookies() == []


async def test_the_policy_is_that_of_the_design(shop):
    answer = await shop.http.get(f"{shop.url}/shop/p-01")

    assert answer.headers["content-security-policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


async def test_a_breach_of_the_policy_would_be_noticed(shop):
    """Without this the tests above could be blind."""
    buyer = await shop.visit("no-such-product")

    await buyer.page.evaluate(
        """() => {
          const script = document.createElement('script');
          script.textContent = 'window.ran = true';
          document.body.append(script);
        }"""
    )

    assert await buyer.page.evaluate("window.ran") is None
    assert any("script-src" in one for one in shop.complaints.found)
    shop.complaints.found.clear()


async def test_a_name_that_is_markup_is_only_text(shop):
    buyer = await shop.visit(await shop.sale(room=ROOM), user="<img/src=x>")

    await buyer.sign_in()

    await expect(buyer.page.locator("#who")).to_have_text("You are <img/src=x>.")
    assert await buyer.page.locator("img").count() == 0
