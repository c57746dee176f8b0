"""`flashsale logs --order`: all events of one order in sequence, and nothing about others."""

import asyncio
import json
import re
from collections import Counter
from uuid import uuid4

import pytest

from flashsale.http.webhook import PATH
from flashsale_local.clouds.endpoint import Endpoint
from flashsale_local.logs.lines import read_file
from flashsale_local.logs.order_life import Life
from flashsale_local.sale.answers import AnswerKind
from flashsale_local.sale.load import buy_all
from flashsale_local.sale.warm_up import warm_up, warm_up_payments
from tests.e2e.conftest import VISIBILITY_TIMEOUT, body
from tests.helpers.support import USERS, eventually
from tests.helpers.webhooks import paid_event, signed
from tests.integration.held_shop import held_shop

# Seconds. The start of a function takes less, even on a busy machine.
PATIENCE = 10
SOLD = {
    4: ["buy", "order", "postgres"],
    5: ["buy", "redis", "relay", "order", "postgres"],
}


@pytest.fixture(autouse=True)
def patient_queues(deployed, sqs):
    """Give functions time to start, or messages come twice and cause more lines."""

    def hide_messages(seconds):
        for queue in ("orders", "dlq", "payments"):
            attributes = {"VisibilityTimeout": str(seconds)}
            sqs.set_queue_attributes(QueueUrl=deployed.queues[queue], Attributes=attributes)

    hide_messages(PATIENCE)
    yield
    hide_messages(VISIBILITY_TIMEOUT)


@pytest.fixture
def life_of(flashsale, deployed):
    """Waits until an order ends, and returns its lines as (clock, where, text).

    `wheres` are the parts that must have written lines.
    """

    async def read(order_id, *, ends, wheres, says="", by=("order", "rollback")):
        def ended():
            done = flashsale("logs", "--order", order_id)
            assert done.returncode == 0, done.stderr
            lines = [line.split(maxsplit=2) for line in done.stdout.splitlines()]
            if not lines or ends not in lines[-1][2]:
                return None
            # The row appears before the log line of the function that wrote it.
            written = any(where in by and (says or ends) in text for _, where, text in lines)
            if written and Counter(wheres) <= Counter(where for _, where, _ in lines):
                return lines
            asyncio.run(late_lines_come(deployed))
            return None

        return await asyncio.to_thread(eventually, ended, 120)

    return read


async def late_lines_come(deployed):
    """Invoke the functions: ministack takes a line that was 50 ms late with the next invocation."""
    await warm_up(deployed)
    await warm_up_payments(deployed, 1)


def order_ids(answers):
    refused = [answer.detail for answer in answers if answer.kind is not AnswerKind.ACCEPTED]
    assert not refused, refused
    return [json.loads(answer.detail.partition(" ")[2])["orderId"] for answer in answers]


@pytest.mark.parametrize("generation", [4, 5])
async def test_an_order_among_others(deployed, new_product, life_of, generation):
    product_id = await new_product(12)
    buyers = USERS[:12]
    answers = await buy_all(deployed.api, generation, product_id, buyers, 6, lambda _: None)
    bought = order_ids(answers)

    for order_id in (bought[0], bought[-1]):
        life = await life_of(order_id, ends="CONFIRMED", wheres=SOLD[generation])

        assert [where for _, where, _ in life] == SOLD[generation]
        clocks = [clock for clock, *_ in life[:-1]]
        assert clocks == sorted(clocks)
        assert "outcome=accepted" in life[0][2]
        assert re.search(r"correlation_id=[^ ]{20,}", life[0][2])
        text = " ".join(text for *_, text in life)
        assert order_id in text
        others = [other for other in bought if other != order_id]
        assert not [other for other in others if re.search(rf"{re.escape(other)}(?!\d)", text)]


@pytest.mark.parametrize("generation", [4, 5])
async def test_an_order_that_is_rolled_back(http, new_product, life_of, generation):
    product_id = await new_product(2)
    answer = http.post(f"/api/v{generation}/buy", json=body(product_id, "nobody")).json()

    *sold, _, _ = SOLD[generation]
    wheres = [*sold, *["order"] * 5, "rollback", "postgres"]

    life = await life_of(answer["orderId"], ends="CANCELLED", wheres=wheres)

    assert [where for _, where, _ in life] == wheres
    failed = [text for _, where, text in life if where == "order"]
    assert all("failed: no user 'nobody'" in text for text in failed)
    assert "its units are back" in life[-2][2]
    assert "no user 'nobody'" in life[-1][2], "the row has the cause"


async def test_an_order_that_is_held_and_paid(deployed, http, services, new_product, life_of):
    shop = await held_shop(services, new_product)
    answer = http.post("/api/v5/buy", json=body(shop.product_id)).json()
    held = await life_of(answer["orderId"], ends="RESERVED", wheres=SOLD[5])
    payment_id = f"pi_{uuid4().hex}"
    event = paid_event(answer["orderId"], payment_id, 750)

    async with deployed.webhook_endpoint.client() as client:
        taken = await client.post(
            PATH, content=event, headers=signed(event, deployed.webhook_secret)
        )
    assert taken.status_code == 200
    *sold, row = SOLD[5]
    life = await life_of(
        answer["orderId"], ends="CONFIRMED", wheres=[*sold, "webhook"], says="APPLIED",
        by=("payment",),
    )  # fmt: skip

    assert "7.50 EUR to be paid by" in held[-1][2]
    wheres = [where for _, where, _ in life]
    assert wheres[: len(sold)] == sold
    assert set(wheres[len(sold) :]) == {"webhook", "payment", row}
    text = "\n".join(text for *_, text in life)
    assert "orders placed: RESERVED, its units are held until it is paid" in text
    assert f"payment_id={payment_id}" in text
    assert f"payments taken: {payment_id} APPLIED" in text
    assert f"payment {payment_id} of 7.50 EUR came\npayment {payment_id}: APPLIED" in text


async def test_an_unknown_order_id(flashsale):
    done = flashsale("logs", "--order", "p-01:1-0")

    assert done.returncode == 1
    assert "Nothing is known of order 'p-01:1-0'" in done.stderr


async def test_an_order_of_the_asgi_edge(stack, asgi_url, new_product, life_of):
    """The web workers log failures only; the id of the ledger entry tells when it was claimed."""
    product_id = await new_product(6)
    bought = order_ids(
        await buy_all(Endpoint(asgi_url), 5, product_id, USERS[:6], 6, lambda _: None)
    )

    wheres = ["redis", "order", "buy", "postgres"]
    life = await life_of(bought[2], ends="CONFIRMED", wheres=wheres)

    assert [where for _, where, _ in life] == wheres
    assert "logs only failures" in life[2][2]
    relayed = Life(bought[2]).events(read_file(stack.directory / "logs" / "relay.log", "relay"))
    assert [event.where for event in relayed] == ["redis", "relay"]
