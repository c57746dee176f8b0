"""A shop for tests of its page: sales, other buyers, and visitors in a browser."""

import asyncio
import itertools
import json
import re
import uuid
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import httpx
from playwright.async_api import Browser, BrowserContext, Page, expect

from flashsale.domain.model import Terms
from flashsale.domain.rooms import Mode, RoomTerms
from flashsale.services import Services
from flashsale.usecases import sales
from flashsale_local.sale.seed import seed
from tests.helpers.browser import Complaints
from tests.helpers.support import USERS, until

# Who comes first is called first, one at a time, and the room is fast.
ROOM = RoomTerms(Mode.FIFO, max_inside=1, max_rate=60_000, admission_seconds=3600)
# What the page shows from its first moment on, one after the other, and what breaks its policy.
RECORD = """
window.seen = [];
new MutationObserver(([{ target }]) => {
  if (target.dataset.state !== window.seen.at(-1)) window.seen.push(target.dataset.state);
}).observe(document, { subtree: true, attributeFilter: ['data-state'] });
document.addEventListener('securitypolicyviolation', (event) =>
  console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
"""
_users = itertools.cycle(USERS)


def in_an_hour():
    return (datetime.now(UTC) + timedelta(hours=1)).replace(microsecond=0)


@dataclass
class Shop:
    """What tests need of one deployment.

    Attributes:
        live: how pages are told what is new. With "poll" the shop has no streams, as on Lambda.

    """

    services: Services
    chromium: Browser
    http: httpx.AsyncClient
    url: str
    live: str = "stream"
    contexts: list[BrowserContext] = field(default_factory=list)
    complaints: Complaints = field(default_factory=Complaints)

    def by(self, live):
        return replace(self, live=live)

    async def close(self):
        for context in self.contexts:
            await context.close()

    async def product(self, stock):
        product_id = f"t-{uuid.uuid4().hex[:12]}"
        await seed(self.services, [], [product_id], stock)
        return product_id

    async def sale(self, stock=10, *, room=None, hold=0, starts_at=None, limit=0):
        """Put a new product on sale; return its id."""
        product_id = await self.product(stock)
        terms = Terms(
            starts_at=starts_at, limit_per_buyer=limit, generation=5, hold_seconds=hold, room=room
        )
        declined = await sales.open_sale(self.services, product_id, terms)
        assert declined is None
        return product_id

    async def occupied(self, stock=10, **more):
        """Return a sale whose room is full, and the ticket of the user inside."""
        product_id = await self.sale(stock, room=ROOM, **more)
        user = next(_users)
        ticket = await self.join(product_id, user)
        await self.enter(product_id, ticket)
        return product_id, ticket

    async def join(self, product_id, user):
        answer = await self.http.post(f"/rooms/{product_id}/tickets", json={"userId": user})
        return answer.raise_for_status().json()["ticket"]

    async def enter(self, product_id, ticket):
        """Let the holder of a ticket in, as soon as they are called."""
        path = f"/rooms/{product_id}"
        async with asyncio.timeout(60):
            while True:
                await self.http.get(path)  # this calls
                answer = await self.http.post(f"{path}/admission", headers={"ticket": ticket})
                if answer.raise_for_status().status_code == 200:
                    return answer.json()["admission"]
                await asyncio.sleep(0.1)

    async def leave(self, product_id, ticket):
        path = f"/rooms/{product_id}/tickets/mine"
        (await self.http.delete(path, headers={"ticket": ticket})).raise_for_status()

    async def buy(self, product_id, user=None):
        """Let somebody else buy a unit; return the order's id."""
        body = {"productId": product_id, "userId": user or next(_users)}
        return (await self.http.post("/buy", json=body)).raise_for_status().json()["orderId"]

    async def cancel(self, order_id):
        async with asyncio.timeout(60):
            while (await self.http.post(f"/orders/{order_id}/cancel")).is_error:
                await asyncio.sleep(0.1)  # it is not written yet

    async def stop_relaying(self, product_id):
        """Let claims of this product stay in the ledger for an hour."""
        assert await self.services.ledger.renew_lease(product_id, "nobody", 3_600_000)

    async def relay_again(self, product_id):
        await self.services.ledger.renew_lease(product_id, "nobody", 0)
        await self.services.relay_inbox.put(product_id)

    async def taken(self, product_id):
        """Return how many units have left the stock."""
        snapshot = await self.services.ledger.snapshot(product_id, count_claims=True)
        return snapshot.initial - snapshot.stock

    async def visit(self, product_id, *, user=None, fragment="", **context):
        """Open the page in a new browser profile, and sign in if `user` is not None."""
        buyer = await self.profile(product_id, user or next(_users), **context)
        await buyer.page.goto(f"{self.url}/shop/{product_id}{fragment}")
        return buyer

    async def profile(self, product_id, user, script="", **options):
        context = await self.chromium.new_context(**options)
        self.contexts.append(context)
        await context.add_init_script(RECORD + script)
        if self.live == "poll":
            # What the Lambda edge answers.
            await context.route("**/events", lambda route: route.fulfill(status=404))
        page = await context.new_page()
        self.complaints.watch(page)
        return Buyer(self, page, product_id, user, script)


@dataclass
class Buyer:
    """Somebody who has the page of a sale open."""

    shop: Shop
    page: Page
    product_id: str
    user: str
    script: str = ""

    async def sees(self, *states):
        """Wait for one of these states."""
        shown = self.page.locator("#shop")
        await expect(shown).to_have_attribute("data-state", re.compile(f"^({'|'.join(states)})$"))

    async def seen(self):
        """Return all states that the page has shown since it was loaded."""
        return await self.page.evaluate("seen")

    async def press(self, name):
        await self.page.get_by_role("button", name=name, exact=True).click()

    async def sign_in(self):
        await self.page.get_by_label("Your user id").fill(self.user)
        await self.press("Continue")
        await expect(self.page.get_by_text(f"You are {self.user}.")).to_be_visible()

    async def join(self):
        await self.sign_in()
        await self.press("Join the queue")
        await until(self.has_ticket)

    async def has_ticket(self):
        return "ticket" in await self.remembered()

    async def buy(self):
        await self.sees("turn")
        if await self.page.get_by_label("Your user id").is_visible():
            await self.sign_in()
        await self.press("Buy")

    async def remembered(self):
        """Return what the page remembers of this buyer."""
        name = f"flashsale:{self.product_id}:{self.user}"
        return json.loads(
            await self.page.evaluate("name => localStorage.getItem(name)", name) or "{}"
        )

    async def crash(self):
        """Return the same buyer after their browser has died: storage stays, the page does not."""
        context = self.page.context
        storage = await context.storage_state()
        address = self.page.url
        await context.close()
        self.shop.contexts.remove(context)
        again = await self.shop.profile(
            self.product_id, self.user, self.script, storage_state=storage
        )
        await again.page.goto(address)
        return again
