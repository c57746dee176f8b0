"""Log lines of the pipeline, as `flashsale logs --order` reads them."""

import io
import logging
import uuid
from decimal import Decimal

import pytest
from aws_lambda_powertools import Logger, Metrics

from flashsale.domain.claims import Claim, claimed_at
from flashsale.domain.messages import Envelope
from flashsale.domain.payment_messages import QueuedPayment
from flashsale.domain.payments import Payment
from flashsale.runtime.sqs_event import record, record_payments
from flashsale.usecases.batch import ReceivedMessage
from flashsale.usecases.place_orders import place_orders
from flashsale.usecases.relay import LAMBDA_PACE, LEASE_MS, TOKEN, relay, sweep
from flashsale.usecases.take_payments import take_payments
from flashsale_local.logs.lines import Line
from flashsale_local.logs.order_life import Life
from flashsale_server.edge.log_format import LineFormat
from tests.helpers.queued import Queue
from tests.helpers.support import USERS
from tests.integration.held_shop import held_shop


@pytest.fixture
def queue(services):
    services.order_queue = queue = Queue()
    return queue


@pytest.fixture
def claim(services):
    async def make(product_id, user_id=USERS[0]):
        request = Claim(product_id, user_id, 1, correlation_id=f"request-of-{user_id}")
        return (await services.ledger.claim(request, TOKEN, LEASE_MS)).order_id

    return make


@pytest.fixture
def written():
    """Return the line that the order function logs for a batch."""

    def lines(outcome):
        stream = io.StringIO()
        metrics = Metrics()
        record("orders placed", outcome, Logger(service=uuid.uuid4().hex, stream=stream), metrics)
        metrics.clear_metrics()
        return [Line(0, "order", stream.getvalue())]

    return lines


def texts(order_id, lines):
    life = Life(order_id)
    life.learn_correlation_id(lines)
    return [event.text for event in life.events(lines) if event.where != "redis"]


async def test_the_relay_logs_exactly_the_claims_that_it_sends(
    services, queue, claim, new_product, caplog
):
    product_id = await new_product(3)
    caplog.set_level(logging.INFO, "flashsale.usecases.relay")
    sent = [await claim(product_id), await claim(product_id)]
    await relay(services, product_id, LAMBDA_PACE)
    later = await claim(product_id)

    lines = [Line(0, "relay", LineFormat().format(record)) for record in caplog.records]

    for order_id in sent:
        assert texts(order_id, lines) == ["sending it to SQS, 2 claims in one call"]
    assert texts(later, lines) == []
    assert texts(f"x{sent[0]}", lines) == [], "an entry with the same number of another product"


async def test_the_sweep_logs_exactly_the_overdue_claims(
    services, queue, claim, new_product, caplog
):
    product_id = await new_product(3)
    orders = [await claim(product_id) for _ in range(3)]
    await relay(services, product_id, LAMBDA_PACE)
    (settled,) = [o for o in orders_of(queue) if o.id == orders[1]]
    await services.ledger.settle(product_id, [settled])
    caplog.clear()
    caplog.set_level(logging.INFO, "flashsale.usecases.relay")
    await sweep(services, idle_ms=0, product_ids=[product_id])

    lines = [Line(0, "sweep", LineFormat().format(record)) for record in caplog.records]

    again = ["unsettled too long, sending it again, 2 claims"]
    assert [texts(order_id, lines) for order_id in orders] == [again, [], again]


def orders_of(queue):
    messages = queue.take()
    return [o for m in messages for o in Envelope.model_validate_json(m.body).orders()]


async def test_a_batch_is_split_into_its_orders(services, queue, claim, new_product, written):
    product_id = await new_product(2)
    good, bad = await claim(product_id), await claim(product_id, "nobody")
    await relay(services, product_id, LAMBDA_PACE)
    (message,) = queue.take()

    first = written(await place_orders(services, [message]))
    (alone,) = queue.take()
    second = written(await place_orders(services, [alone, ReceivedMessage("m-poison", "poison")]))

    assert texts(good, first) == ["INFO    orders placed: CONFIRMED"]
    assert texts(bad, first) == ["INFO    orders placed: taken out of its envelope, sent on alone"]
    (failed,) = texts(bad, second)
    assert failed.startswith("WARNING orders placed: failed: no user 'nobody'")
    assert alone.id in failed
    assert texts(good, second) == []


async def test_the_claim_of_a_v5_order_needs_no_line(claim, new_product):
    order_id = await claim(await new_product(1))

    (event,) = Life(order_id).events([])

    assert (event.where, event.at) == ("redis", claimed_at(order_id.rpartition(":")[2]))


async def test_a_held_order_shows_its_hold_and_each_of_its_payments(services, new_product, written):
    shop = await held_shop(services, new_product)
    order, another = await shop.claim(), await shop.claim(USERS[1])
    outcomes = [await shop.write(order), await shop.write(another)]
    first, second, third = (f"pi_{uuid.uuid4().hex}" for _ in range(3))
    messages = [
        payment_message(order, first, "7.50"),
        payment_message(order, second, "7.50"),
        payment_message(another, third, "7.50"),
    ]
    taken = await take_payments(services, messages)
    assert not taken.failures
    lines = [line for outcome in outcomes for line in written(outcome)] + written_payments(taken)
    life = Life(order.id)
    life.payments = await services.payments.list_of_order(order.id)

    texts = [event.text for event in life.events(lines)]

    assert [one.id for one in life.payments] == [second, first]
    assert "INFO    orders placed: RESERVED, its units are held until it is paid" in texts
    assert f"INFO    payments taken: {first} APPLIED, {second} REFUND_DUE (paid twice)" in texts
    rows = [text for text in texts if text.startswith("payment ")]
    assert rows == [
        f"payment {first} of 7.50 EUR came", f"payment {first}: APPLIED",
        f"payment {second} of 7.50 EUR came", f"payment {second}: REFUND_DUE (paid twice)",
    ]  # fmt: skip
    assert not any(third in text for text in texts)
    assert life.is_in(messages[1].body)
    assert not life.is_in(messages[2].body)


async def test_a_payment_that_fails_is_in_the_life_of_its_order(without, services, new_product):
    shop = await held_shop(services, new_product)
    order = await shop.reserve()
    taken = await take_payments(without("database_url"), [payment_message(order, "pi_4", "7.50")])

    (line,) = written_payments(taken)

    assert "WARNING payments taken: pi_4 failed" in [
        event.text for event in Life(order.id).events([line])
    ]
    assert "pi_4" not in line.short
    assert "failed=1: PostgreSQL" in line.short


def payment_message(order, payment_id, amount):
    payment = Payment(payment_id, order.id, Decimal(amount), "EUR")
    return ReceivedMessage(payment_id, QueuedPayment.of(payment).model_dump_json())


def written_payments(taken):
    """Return the line that the payment function logs for a batch."""
    stream, metrics = io.StringIO(), Metrics()
    record_payments(taken, Logger(service=uuid.uuid4().hex, stream=stream), metrics)
    metrics.clear_metrics()
    return [Line(0, "payment", stream.getvalue())]
