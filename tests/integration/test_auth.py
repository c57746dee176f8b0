"""Who may buy where AUTH=jwt: over HTTP, in process, on real stores."""

import json
from dataclasses import replace

import httpx
import pytest

from flashsale.admin import cancel_order
from flashsale.audit import Action
from flashsale.batch import Message
from flashsale.bootstrap import Services
from flashsale.callers import ADMIN_SCOPE
from flashsale.compensate import compensate
from flashsale.config import Rate, Trust
from flashsale.http.dependencies import get_services
from flashsale.http.observe import Observe
from flashsale.place_orders import place_orders
from functions.buy.app import api
from tests.integration.test_v5_api import is_problem
from tests.issuer import AUDIENCE, NAME, Issuer
from tests.support import USERS


class Kept:
    """A queue that keeps what it is given."""

    def __init__(self):
        self.envelopes = []

    async def send(self, envelopes):
        self.envelopes += envelopes

    async def ping(self):
        pass


@pytest.fixture(scope="module")
def issuer():
    return Issuer()


@pytest.fixture
async def services(migrated, issuer, patient):
    trust = Trust(NAME, AUDIENCE, jwks=json.dumps(issuer.document()))
    services = Services(replace(migrated, auth="jwt", trust=trust))
    services.order_queue = Kept()
    yield services
    await services.close()


@pytest.fixture
def seen():
    """What was observed of each request."""
    return []


@pytest.fixture
async def http(services, seen):
    api.dependency_overrides[get_services] = lambda: services
    transport = httpx.ASGITransport(Observe(api, seen.append), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client
    api.dependency_overrides.clear()


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


async def test_the_token_says_who_buys(http, services, issuer, new_product):
    product_id = await new_product(5)

    answer = await http.post(
        "/api/v5/buy", json={"productId": product_id}, headers=bearer(issuer.token(USERS[3]))
    )

    assert answer.status_code == 202
    product, _, entry = answer.json()["orderId"].rpartition(":")
    assert await services.ledger.claimed_by(product, entry) == USERS[3]


async def test_a_user_id_may_be_said_again_but_not_another(
    http, services, issuer, new_product, seen
):
    product_id = await new_product(5)

    async def buy(user_id):
        return await http.post(
            "/api/v5/buy",
            json={"productId": product_id, "userId": user_id},
            headers=bearer(issuer.token(USERS[3])),
        )

    assert (await buy(USERS[3])).status_code == 202
    assert is_problem(await buy(USERS[4]), 403, "forbidden")
    assert [one.outcome for one in seen] == ["accepted", "forbidden"]
    assert await services.stock.left([product_id]) == [4]


async def test_who_cannot_say_who_he_is_changes_nothing(http, services, issuer, new_product):
    product_id = await new_product(5)
    valid = issuer.token()
    wrong = [
        [],
        [("Authorization", "")],
        [("Authorization", "Bearer")],
        [("Authorization", f"Basic {valid}")],
        [("Authorization", f"Bearer {valid[:-4]}AAAA")],
        [("Authorization", f"Bearer {issuer.token(exp=1)}")],
        [("Authorization", f"Bearer {issuer.confused_token()}")],
        [("Authorization", "Bearer " + "x" * 7_000)],
        [("Authorization", f"Bearer {valid}"), ("Authorization", f"Bearer {valid}")],
        [("Authorization", f"Bearer {valid} {valid}")],
        [("X-Amzn-Oidc-Identity", USERS[0]), ("X-User", USERS[0])],
    ]
    keys_before = set(await services.redis.keys(f"*{product_id}*"))

    for headers in wrong:
        answer = await http.post(
            "/api/v5/buy",
            json={"productId": product_id, "userId": USERS[0]},
            headers=[*headers, ("Idempotency-Key", "k")],
        )
        assert is_problem(answer, 401, "unauthorized"), headers
        assert answer.headers["www-authenticate"].startswith("Bearer")

    assert await services.stock.left([product_id]) == [5]
    assert set(await services.redis.keys(f"*{product_id}*")) == keys_before


@pytest.mark.parametrize("generation", [1, 2, 3, 4])
async def test_what_believes_its_body_is_closed(http, services, issuer, new_product, generation):
    product_id = await new_product(5)

    answer = await http.post(
        f"/api/v{generation}/buy",
        json={"productId": product_id, "userId": USERS[0]},
        headers=bearer(issuer.token()),
    )

    assert answer.status_code == 404
    assert (await services.products.get(product_id)).stock == 5
    assert await services.stock.left([product_id]) == [5]


async def test_everybody_may_look_at_the_shop(http, new_product):
    product_id = await new_product(5)

    for path in ("/health", "/api/products", f"/api/products/{product_id}", "/openapi.json"):
        assert (await http.get(path)).status_code == 200, path
    assert (await http.get(f"/api/v5/products/{product_id}/stock")).json()["stock"] == 5


async def test_an_order_is_shown_to_its_buyer_and_to_admins_only(
    http, services, issuer, new_product
):
    product_id = await new_product(5)
    bought = await http.post(
        "/api/v5/buy", json={"productId": product_id}, headers=bearer(issuer.token(USERS[0]))
    )
    order = bought.headers["location"]

    async def seen_by(user_id, **claims):
        answer = await http.get(order, headers=bearer(issuer.token(user_id, **claims)))
        return answer.status_code

    async def checked():
        assert await seen_by(USERS[0]) == 200
        assert await seen_by(USERS[1]) == 404
        assert await seen_by(USERS[1], scope=ADMIN_SCOPE) == 200
        assert is_problem(await http.get(order), 401, "unauthorized")

    await checked()  # PENDING, in the ledger
    await write_orders(services)
    await checked()  # CONFIRMED, in PostgreSQL


async def test_a_buyer_whom_only_the_token_knows_gets_his_order(
    http, services, issuer, new_product
):
    product_id = await new_product(5)
    nobody_yet = f"auth0|{product_id}"

    bought = await http.post(
        "/api/v5/buy", json={"productId": product_id}, headers=bearer(issuer.token(nobody_yet))
    )
    await write_orders(services)

    row = await services.orders.find(bought.json()["orderId"])
    assert (row.user_id, row.status) == (nobody_yet, "CONFIRMED")


@pytest.mark.parametrize("by", ["the rollback", "an admin"])
async def test_a_new_buyer_hears_that_his_first_order_was_cancelled(
    http, services, issuer, new_product, by
):
    product_id = await new_product(5)
    headers = bearer(issuer.token(f"new|{product_id}"))
    bought = await http.post("/api/v5/buy", json={"productId": product_id}, headers=headers)

    if by == "the rollback":
        (envelope,) = services.order_queue.envelopes
        await compensate(services, [Message("1", envelope.model_dump_json())])
    else:
        action = Action("boss", "cancel", bought.json()["orderId"], {}, "corr")
        assert await cancel_order(services, action, "a wish") is None

    seen = await http.get(bought.headers["location"], headers=headers)
    assert (seen.status_code, seen.json()["status"]) == (200, "CANCELLED")


async def write_orders(services):
    """Do what the order function does with what was relayed after the claim."""
    sent, services.order_queue.envelopes = services.order_queue.envelopes, []
    messages = [Message(str(n), e.model_dump_json()) for n, e in enumerate(sent)]
    outcome = await place_orders(services, messages)
    assert not outcome.failures


class TestLimits:
    """429, and nothing is touched."""

    @pytest.fixture
    async def services(self, services):
        limits = {"user": Rate(3, 60), "address": Rate(5, 60)}
        services = Services(replace(services.settings, limits=limits))
        services.order_queue = Kept()
        yield services
        await services.close()

    @pytest.fixture
    def buy(self, http, issuer):
        async def buy(product_id, user_id, **headers):
            return await http.post(
                "/api/v5/buy",
                json={"productId": product_id},
                headers={**bearer(issuer.token(user_id)), **headers},
            )

        return buy

    async def test_a_user_may_try_as_often_as_said(self, services, buy, new_product):
        product_id, other = await new_product(50), await new_product(50)

        answers = [await buy(product_id, USERS[0]) for _ in range(5)]

        assert [a.status_code for a in answers] == [202, 202, 202, 429, 429]
        assert is_problem(answers[3], 429, "too_many_requests")
        assert answers[0].headers["ratelimit-policy"] == '"user";q=3;w=60, "address";q=5;w=60'
        assert answers[0].headers["ratelimit"] == '"user";r=2, "address";r=4'
        assert answers[3].headers["ratelimit-policy"] == '"user";q=3;w=60'
        wait = int(answers[3].headers["retry-after"])
        assert answers[3].headers["ratelimit"] == f'"user";r=0;t={wait}'
        assert 1 <= wait <= 20  # a third of a minute for one token
        assert await services.stock.left([product_id]) == [47]
        assert (await buy(other, USERS[0])).status_code == 202  # another product, another bucket

    async def test_an_address_is_counted_whoever_calls(self, services, buy, new_product):
        product_id = await new_product(50)

        answers = [await buy(product_id, user) for user in USERS[:6]]

        assert [a.status_code for a in answers] == [202] * 5 + [429]
        assert answers[5].headers["ratelimit"].startswith('"address";r=0')
        # Who was refused for his address has not paid for it as a user.
        assert await services.redis.exists(f"{{{product_id}}}:rate:user:{USERS[5]}") == 0

    async def test_refused_attempts_count_and_the_bucket_fills_again(
        self, services, buy, new_product
    ):
        product_id = await new_product(0)

        answers = [await buy(product_id, USERS[0]) for _ in range(4)]
        assert [a.status_code for a in answers] == [409, 409, 409, 429]

        # A token's time passes: what it would be worth is taken from the time kept.
        name = f"{{{product_id}}}:rate:user:{USERS[0]}"
        assert 0 < await services.redis.pttl(name) <= 60_000
        full = int(await services.redis.get(name))
        await services.redis.set(name, full - 20_000_000, keepttl=True)
        answers = [await buy(product_id, USERS[0]) for _ in range(2)]
        assert [a.status_code for a in answers] == [409, 429]

    async def test_a_refused_request_leaves_no_key_behind(self, services, buy, new_product):
        product_id = await new_product(1)
        keys = [f"key-{product_id}-{n}" for n in range(3)]

        answers = [await buy(product_id, USERS[0], **{"Idempotency-Key": key}) for key in keys]

        assert [a.status_code for a in answers] == [202, 409, 409]
        kept = await services.redis.keys(f"idem:*{product_id}*")
        assert len(kept) == 1
        again = await buy(product_id, USERS[1], **{"Idempotency-Key": keys[1]})
        assert is_problem(again, 409, "sold_out")


async def test_browsers_are_told_what_not_to_do(http):
    paths = "/api/products", "/api/v5/nothing", "/api/v5/orders/x", "/openapi.json", "/x/docs"
    for path in (*paths, "/docs"):
        headers = (await http.get(path)).headers
        nothing_runs = headers["content-security-policy"].count("script-src") == 0
        assert nothing_runs is (path != "/docs")
        assert len(headers.get_list("content-security-policy")) == 1
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "access-control-allow-origin" not in headers
