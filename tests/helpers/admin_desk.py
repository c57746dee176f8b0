"""What the tests of the admin API share: the API in process, tokens, and store failures."""

from contextlib import asynccontextmanager
from dataclasses import replace

from flashsale.config import TrustedIssuer
from flashsale.domain.claims import Claim, Claimed
from flashsale.domain.messages import Envelope
from flashsale.http.application import create_admin_app
from flashsale.postgres_store.audit import Action
from flashsale.usecases.batch import ReceivedMessage
from flashsale.usecases.books import read_books
from flashsale.usecases.relay import LEASE_MS, TOKEN
from flashsale_local.deployment import sign_in
from tests.helpers.in_process import client_of
from tests.helpers.support import USERS

SECRET = "a-secret-of-32-bytes-for-tests-only"
TRUST = TrustedIssuer(sign_in.ISSUER, sign_in.AUDIENCE, secret=SECRET)


def token(user="boss", *, admin=True):
    return sign_in.mint(SECRET, user, admin=admin, minutes=5)


class Nowhere:
    """A queue that accepts and drops all messages."""

    async def send(self, envelopes):
        pass

    async def waiting(self, _url=""):
        return 0


class Desk:
    """A client of the admin API. `services` serve the next request."""

    def __init__(self, services):
        self.services = services
        self._http = None

    @asynccontextmanager
    async def opened(self):
        """The desk while its API is served."""
        async with client_of(create_admin_app(lambda: trusting(self.services))) as self._http:
            yield self

    async def post(self, path, body=None, key=None, bearer=None):
        headers = {"Authorization": f"Bearer {bearer or token()}"}
        if key is not None:
            headers["Idempotency-Key"] = key
        return await self._http.post(f"/api/admin{path}", json=body, headers=headers)

    async def get(self, path, bearer=None):
        headers = {"Authorization": f"Bearer {bearer or token()}"}
        return await self._http.get(f"/api/admin{path}", headers=headers)

    async def act(self, product_id, action, body=None, key=None):
        return await self.post(f"/products/{product_id}/{action}", body, key)

    async def cancel(self, order_id, reason="broken in transit", key=None):
        return await self.post(f"/orders/{order_id}/cancel", {"reason": reason}, key)

    async def audit_of(self, target):
        return [e for e in await self.services.audit.list_latest(500) if e.target == target]


def trusting(services):
    if services.settings.trusted_issuer is None:
        services.settings = replace(services.settings, trusted_issuer=TRUST)
    return services


@asynccontextmanager
async def desk_of(services):
    services.order_queue = Nowhere()
    async with Desk(services).opened() as desk:
        yield desk


def dies(monkeypatch, adapter, method, error, *, after):
    """Let the next call of this method fail, before or after its effect."""
    real = getattr(adapter, method)

    async def once(*arguments, **named):
        monkeypatch.setattr(adapter, method, real)
        if after:
            await real(*arguments, **named)
        raise error("gone")

    monkeypatch.setattr(adapter, method, once)


async def claim(services, product_id, user=USERS[0], quantity=1):
    return await services.ledger.claim(Claim(product_id, user, quantity), TOKEN, LEASE_MS)


async def sell(services, product_id, users, quantity=1, *, settle=True):
    """Return new V5 orders that are CONFIRMED."""
    for user in users:
        assert isinstance(await claim(services, product_id, user, quantity), Claimed)
    orders = await services.ledger.take_unsent(product_id, 100)
    await services.orders.write_batch(orders)
    if settle:
        await services.ledger.settle(product_id, orders)
    return orders


async def books_of(services, product_id):
    """Return the books of a product, which must balance."""
    (books,) = await read_books(services, [product_id])
    snapshot = await services.ledger.snapshot(product_id, count_claims=True)
    assert snapshot is None or snapshot.balanced, snapshot
    assert (books.imbalance, books.oversold) == (0, 0), books
    assert books.postgres_stock == books.initial - books.confirmed
    return books


def message_of(*orders):
    return ReceivedMessage("m", Envelope.of(orders).model_dump_json())


async def stock_of(services, product_id):
    return (await services.ledger.snapshot(product_id, count_claims=True)).stock


def pause_of(product_id, key=""):
    why = {"reason": "wrong price"}
    return Action("cli ops", "pause", product_id, why, "corr-1", key or f"k-{product_id}")


async def audit_of(services, product_id):
    return [e for e in await services.audit.list_latest(500) if e.target == product_id]
