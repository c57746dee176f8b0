"""Metrics of the exporter, the edge and the relay process, for a real sale."""

import asyncio
import re
import subprocess

import httpx
import pytest

from flashsale.usecases.books import read_books
from tests.helpers.support import USERS, eventually, until


@pytest.mark.parametrize("job", ["exporter", "edge", "relay"])
def test_names_and_units_follow_the_conventions(watched, job):
    text = httpx.get(f"{watched.scraped[job]}/metrics", timeout=20).text

    done = subprocess.run(
        ["promtool", "check", "metrics"], input=text, capture_output=True, text=True, check=False
    )

    assert "flashsale_" in text
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(("job", "edge"), [("edge", ""), ("exporter", 'edge="lambda",')])
def test_a_generation_without_purchases_is_shown_as_0(watched, job, edge):
    sample = f'flashsale_claims_total{{{edge}generation="1",outcome="accepted"}} 0.0\n'

    # A reading without the functions' logs, which the emulator gave too late, has no claims.
    eventually(lambda: sample in httpx.get(f"{watched.scraped[job]}/metrics", timeout=20).text)


@pytest.mark.parametrize("generation", [4, 5])
async def test_each_claim_of_the_lambda_edge_is_counted_once(
    watched, deployed, new_product, generation
):
    sample = f'flashsale_claims_total{{edge="lambda",generation="{generation}",outcome="sold_out"}}'

    def read():
        text = httpx.get(f"{watched.scraped['exporter']}/metrics", timeout=20).text
        return re.search(rf"^{re.escape(sample)} (\S+)$", text, re.MULTILINE)

    def counted():
        # The emulator gives the logs too late now and then.
        return float(eventually(read)[1])

    product_id = await new_product(2)
    before = counted()
    async with deployed.api.client() as http:
        for user in USERS[:5]:
            body = {"productId": product_id, "userId": user}

            async def is_answered(body=body):
                answer = await http.post(f"/api/v{generation}/buy", json=body)
                return answer.status_code != 503

            await until(is_answered)

    # The products of the other buyers never sell out.
    def three_more():
        return counted() >= before + 3

    await asyncio.to_thread(eventually, three_more)
    assert [counted() for _ in range(3)] == [before + 3] * 3


@pytest.mark.parametrize("edge", ["lambda", "asgi"])
async def test_claims_that_a_room_does_not_let_in_are_counted(watched, deployed, edge):
    labels = f'edge="{edge}",generation="5",outcome="admission_required"'
    counted = f"sum(flashsale_claims_total{{{labels}}})"
    (before,) = await asyncio.to_thread(eventually, lambda: watched.numbers(counted))
    url = deployed.api.url if edge == "lambda" else watched.scraped["edge"]
    async with httpx.AsyncClient(base_url=url, timeout=60) as http:
        for user in USERS[:2]:  # the second one is refused without Redis, where the edge can
            body = {"productId": "watched-room", "userId": user}
            assert (await http.post("/api/v5/buy", json=body)).status_code == 403

    await asyncio.to_thread(eventually, lambda: watched.numbers(counted) == [before + 2])


async def test_units_match_the_books(watched, deployed, new_product, services):
    product_id = await new_product(3)
    async with deployed.api.client() as http:
        for user in USERS[:2]:
            await http.post("/api/v5/buy", json={"productId": product_id, "userId": user})

    def figure(metric, **labels):
        matchers = ",".join(f'{k}="{v}"' for k, v in {"product": product_id, **labels}.items())
        return watched.numbers(f"{metric}{{{matchers}}}")

    # Claims are current, but the books may be cached until the next reading. Settling is the last
    # step of a purchase: an order is confirmed in PostgreSQL before Redis settles its claim.
    def both_are_settled():
        shown = [figure(f"flashsale_{name}_units") for name in ("confirmed", "unsettled")]
        return shown == [[2.0], [0.0]]

    await asyncio.to_thread(eventually, both_are_settled)

    (books,) = await read_books(services, [product_id])
    assert figure("flashsale_confirmed_units") == [books.confirmed] == [2]
    assert figure("flashsale_stock_units", store="redis") == [books.redis_stock] == [1]
    assert figure("flashsale_stock_units", store="postgresql") == [books.postgres_stock]
    assert figure("flashsale_product_info", generation="5") == [1]
    for name in ("lost", "oversold", "imbalance", "unsettled"):
        assert figure(f"flashsale_{name}_units") == [getattr(books, name)] == [0]


def test_calls_to_sqs_carry_claims_of_the_asgi_edge(watched):
    calls = 'flashsale_sqs_sends_total{job="relay",operation="relay",outcome="ok"}'

    assert eventually(lambda: sum(watched.numbers(calls)) > 0)
    assert sum(watched.numbers('flashsale_relayed_claims_total{job="relay"}')) > 0


def test_messages_in_the_dlq_and_parking_are_shown_with_their_age(watched):
    parked = 'sum(flashsale_queue_messages{queue="parking"})'

    assert eventually(lambda: sum(watched.numbers(parked)) >= 1)
    age = 'flashsale_queue_oldest_message_age_seconds{queue="parking"}'
    assert eventually(lambda: sum(watched.numbers(age)) > 1)
