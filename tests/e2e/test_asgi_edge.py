"""The ASGI edge: granian serves the same API, with a relay process."""

import re

import httpx
import pytest

from flashsale.usecases.books import read_books
from flashsale_local.clouds.endpoint import Endpoint
from flashsale_local.sale.answers import AnswerKind
from flashsale_local.sale.load import buy_all
from tests.e2e.conftest import body
from tests.helpers.support import USERS, until


async def test_a_crowd_buys_exactly_the_stock(asgi_url, new_product, services):
    product_id = await new_product(20)

    answers = await buy_all(Endpoint(asgi_url), 5, product_id, USERS[:100], 16, lambda _: None)

    kinds = [answer.kind for answer in answers]
    assert (kinds.count(AnswerKind.ACCEPTED), kinds.count(AnswerKind.SOLD_OUT)) == (
        20,
        80,
    )

    async def settled():
        (books,) = await read_books(services, [product_id])
        return books.confirmed == 20 and not books.unsettled and books.balanced

    await until(settled)


@pytest.mark.parametrize("generation", [1, 2, 3, 4])
async def test_the_other_generations_are_served_too(asgi_url, new_product, generation):
    product_id = await new_product(1)

    async with httpx.AsyncClient(base_url=asgi_url, timeout=20) as http:
        answer = await http.post(f"/api/v{generation}/buy", json=body(product_id))

    assert answer.status_code in (201, 202)


async def test_metrics_sum_up_all_workers(asgi_url, new_product):
    product_id = await new_product(3)

    def count(text, sample):
        found = re.search(rf"^{re.escape(sample)} (\S+)$", text, re.MULTILINE)
        return float(found[1]) if found else 0.0

    accepted = 'flashsale_claims_total{generation="5",outcome="accepted"}'
    sold_out = 'flashsale_claims_total{generation="5",outcome="sold_out"}'
    async with httpx.AsyncClient(base_url=asgi_url, timeout=60) as http:
        before = (await http.get("/metrics")).text
        for _ in range(8):  # each on its own connection, so that both workers serve some
            async with httpx.AsyncClient(base_url=asgi_url, timeout=60) as other:
                await other.post("/api/v5/buy", json=body(product_id))

        async def all_are_counted():  # a moment after their answers
            after = (await http.get("/metrics")).text
            counted = [count(after, one) - count(before, one) for one in (accepted, sold_out)]
            return after if counted == [3, 5] else ""

        after = await until(all_are_counted)

    assert 'flashsale_http_request_seconds_count{method="POST",route="/api/v5/buy"' in after
