"""Too many claims by a user or an address are 429 and change nothing."""

from dataclasses import replace

import pytest

from flashsale.config import Rate
from flashsale.services import Services
from tests.helpers.support import USERS
from tests.integration.by_token.conftest import Kept, bearer
from tests.integration.test_v5_api import is_problem


@pytest.fixture
async def services(services):
    limits = {"user": Rate(3, 60), "address": Rate(5, 60)}
    # Each attempt asks Redis: what a process refuses by itself takes no token (test_sold_out.py).
    services = Services(replace(services.settings, rate_limits=limits, sold_out_for=0))
    services.order_queue = Kept()
    yield services
    await services.close()


@pytest.fixture
def buy(http, issuer):
    async def buy(product_id, user_id, **headers):
        return await http.post(
            "/api/v5/buy",
            json={"productId": product_id},
            headers={**bearer(issuer.token(user_id)), **headers},
        )

    return buy


async def test_a_user_may_claim_as_often_as_configured(services, buy, new_product):
    product_id, other = await new_product(50), await new_product(50)

    answers = [await buy(product_id, USERS[0]) for _ in range(5)]

    assert [a.status_code for a in answers] == [202, 202, 202, 429, 429]
    assert is_problem(answers[3], 429, "too_many_requests")
    assert answers[0].headers["ratelimit-policy"] == '"user";q=3;w=60, "address";q=5;w=60'
    assert answers[0].headers["ratelimit"] == '"user";r=2, "address";r=4'
    assert answers[3].headers["ratelimit-policy"] == '"user";q=3;w=60'
    wait = int(answers[3].headers["retry-after"])
    assert answers[3].headers["ratelimit"] == f'"user";r=0;t={wait}'
    assert 1 <= wait <= 20  # one token needs a third of a minute
    assert await services.stock.left([product_id]) == [47]
    assert (await buy(other, USERS[0])).status_code == 202  # each product has its own bucket


async def test_an_address_is_limited_across_users(services, buy, new_product):
    product_id = await new_product(50)

    answers = [await buy(product_id, user) for user in USERS[:6]]

    assert [a.status_code for a in answers] == [202] * 5 + [429]
    assert answers[5].headers["ratelimit"].startswith('"address";r=0')
    # A rejection by address takes no token from the user's bucket.
    assert await services.redis.exists(f"{{{product_id}}}:rate:user:{USERS[5]}") == 0


async def test_rejected_attempts_count_and_the_bucket_refills(services, buy, new_product):
    product_id = await new_product(0)

    answers = [await buy(product_id, USERS[0]) for _ in range(4)]
    assert [a.status_code for a in answers] == [409, 409, 409, 429]

    # Let the time for one token pass by changing the stored time.
    name = f"{{{product_id}}}:rate:user:{USERS[0]}"
    assert 0 < await services.redis.pttl(name) <= 60_000
    full = int(await services.redis.get(name))
    await services.redis.set(name, full - 20_000_000, keepttl=True)
    answers = [await buy(product_id, USERS[0]) for _ in range(2)]
    assert [a.status_code for a in answers] == [409, 429]


async def test_a_rejected_request_leaves_no_key(services, buy, new_product):
    product_id = await new_product(1)
    keys = [f"key-{product_id}-{n}" for n in range(3)]

    answers = [await buy(product_id, USERS[0], **{"Idempotency-Key": key}) for key in keys]

    assert [a.status_code for a in answers] == [202, 409, 409]
    kept = await services.redis.keys(f"idem:*{product_id}*")
    assert len(kept) == 1
    again = await buy(product_id, USERS[1], **{"Idempotency-Key": keys[1]})
    assert is_problem(again, 409, "sold_out")
