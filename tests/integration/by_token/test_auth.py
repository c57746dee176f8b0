"""Purchases with AUTH=jwt, over HTTP in process, on real stores."""

import pytest

from flashsale.auth.principal import ADMIN_SCOPE
from flashsale.postgres_store.audit import Action
from flashsale.usecases.admin import cancel_order
from flashsale.usecases.batch import ReceivedMessage
from flashsale.usecases.compensate import compensate
from flashsale.usecases.place_orders import place_orders
from tests.helpers.queued import queued
from tests.helpers.support import USERS
from tests.integration.by_token.conftest import bearer
from tests.integration.test_v5_api import is_problem


async def test_the_token_identifies_the_buyer(http, services, issuer, new_product):
    product_id = await new_product(5)

    answer = await http.post(
        "/api/v5/buy", json={"productId": product_id}, headers=bearer(issuer.token(USERS[3]))
    )

    assert answer.status_code == 202
    product, _, entry = answer.json()["orderId"].rpartition(":")
    assert (await services.ledger.get(product, entry)).user_id == USERS[3]


async def test_a_user_id_in_the_body_must_match_the_token(
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


async def test_requests_without_a_valid_token_change_nothing(http, services, issuer, new_product):
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
async def test_generations_that_trust_the_body_are_closed(
    http, services, issuer, new_product, generation
):
    product_id = await new_product(5)

    answer = await http.post(
        f"/api/v{generation}/buy",
        json={"productId": product_id, "userId": USERS[0]},
        headers=bearer(issuer.token()),
    )

    assert answer.status_code == 404
    assert (await services.products.get(product_id)).stock == 5
    assert await services.stock.left([product_id]) == [5]


async def test_the_status_route_of_v4_is_closed_with_its_purchases(http, services, new_product):
    (message,) = queued(await new_product(5))
    await place_orders(services, [message])
    path = f"orders/{message.id.removeprefix('m-')}"

    answers = [await http.get(f"/api/{path}"), await http.get(f"/api/v5/{path}")]

    assert [answer.status_code for answer in answers] == [404, 401]
    assert answers[0].json()["message"] == "Not Found"


async def test_products_are_readable_without_a_token(http, new_product):
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
    order = bought.url.join(bought.headers["location"])

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


async def test_a_buyer_known_only_by_the_token_gets_an_order(http, services, issuer, new_product):
    product_id = await new_product(5)
    nobody_yet = f"auth0|{product_id}"

    bought = await http.post(
        "/api/v5/buy", json={"productId": product_id}, headers=bearer(issuer.token(nobody_yet))
    )
    await write_orders(services)

    row = await services.orders.get(bought.json()["orderId"])
    assert (row.user_id, row.status) == (nobody_yet, "CONFIRMED")


@pytest.mark.parametrize("by", ["the rollback", "an admin"])
async def test_a_new_buyer_sees_that_the_first_order_was_cancelled(
    http, services, issuer, new_product, by
):
    product_id = await new_product(5)
    headers = bearer(issuer.token(f"new|{product_id}"))
    bought = await http.post("/api/v5/buy", json={"productId": product_id}, headers=headers)

    if by == "the rollback":
        (envelope,) = services.order_queue.envelopes
        await compensate(services, [ReceivedMessage("1", envelope.model_dump_json())])
    else:
        action = Action("boss", "cancel", bought.json()["orderId"], {}, "corr")
        assert await cancel_order(services, action, "a wish") is None

    seen = await http.get(bought.url.join(bought.headers["location"]), headers=headers)
    assert (seen.status_code, seen.json()["status"]) == (200, "CANCELLED")


async def write_orders(services):
    """Process the relayed messages as the order function does."""
    sent, services.order_queue.envelopes = services.order_queue.envelopes, []
    messages = [ReceivedMessage(str(n), e.model_dump_json()) for n, e in enumerate(sent)]
    outcome = await place_orders(services, messages)
    assert not outcome.failures


async def test_answers_have_security_headers(http):
    paths = "/api/products", "/api/v5/nothing", "/api/v5/orders/x", "/openapi.json", "/x/docs"
    for path in (*paths, "/", "/docs"):
        headers = (await http.get(path)).headers
        nothing_runs = headers["content-security-policy"].count("script-src") == 0
        assert nothing_runs is (path != "/docs")
        assert len(headers.get_list("content-security-policy")) == 1
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "access-control-allow-origin" not in headers
