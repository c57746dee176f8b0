"""How the operator handles payments that failed: `flashsale dlq` with payments-dlq."""

import json
from decimal import Decimal

import pytest

from flashsale.domain.payment_messages import QueuedPayment
from flashsale.domain.payments import Payment
from flashsale.redis_store.failures import Failure
from flashsale_local.queues.failed import look
from flashsale_server.queues.depths import depths

PAYMENT = Payment("pi_1", "p-01:1795464769699-0", Decimal("7.50"), "EUR")


@pytest.fixture
def put_payment(put):
    """Put the message of a payment into the queue of those that failed, and return its id."""
    (id_,) = put("payments-dlq", QueuedPayment.of(PAYMENT))
    return id_


@pytest.fixture
def in_queue(target):
    """Return a function that lists the ids of the messages in a queue that nobody holds."""

    def ids(queue):
        assert depths(target.queues)[queue].in_flight == 0
        return {message.id for message in target.cloud.peek(target.queues[queue], 100)}

    return ids


async def test_a_failed_payment_is_shown_with_its_order_amount_and_cause(
    services, put_payment, flashsale, target
):
    await services.failures.remember([Failure(put_payment, "PostgreSQL: no route to host")])

    shown = flashsale("dlq", "peek", "payments-dlq").stdout
    (message,) = json.loads(flashsale("dlq", "peek", "payments-dlq", "--json").stdout)["messages"]

    assert "what   payment pi_1: 7.50 EUR for order p-01:1795464769699-0" in shown
    assert "cause  PostgreSQL: no route to host" in shown
    assert (message["id"], message["queue"]) == (put_payment, "payments-dlq")
    assert "payments-dlq" in flashsale("dlq", "ls").stdout


def test_a_redrive_sends_payments_back_to_their_queue(put_payment, flashsale, target, in_queue):
    done = flashsale("dlq", "redrive", "payments-dlq")

    assert "1 message moved from payments-dlq to payments." in done.stdout
    assert in_queue("payments-dlq") == set()
    (message,) = target.cloud.peek(target.queues["payments"], 10)
    assert QueuedPayment.model_validate_json(message.body).payment() == PAYMENT


def test_only_what_is_no_payment_is_discarded(put, put_payment, flashsale, in_queue):
    (poison,) = put("payments-dlq", "poison")
    in_parking = put("parking", "poison, too")

    named = flashsale("dlq", "discard", "payments-dlq", "--message", put_payment, "--yes")
    done = flashsale("dlq", "discard", "payments-dlq", "--all", "--yes")

    assert named.returncode == 1
    assert "flashsale dlq redrive payments-dlq" in " ".join(named.stderr.split())
    assert done.returncode == 0, done.stderr
    assert f"discarded {poison}" in done.stdout
    assert "1 other messages stay" in done.stdout
    assert in_queue("payments-dlq") == {put_payment}
    assert in_queue("parking") == set(in_parking)


def test_a_payment_cannot_be_cancelled(put_payment, flashsale, in_queue):
    done = flashsale("dlq", "cancel", "payments-dlq", "--all", "--yes")

    assert done.returncode == 1
    assert "flashsale dlq redrive payments-dlq" in " ".join(done.stderr.split())
    assert in_queue("payments-dlq") == {put_payment}


async def test_a_payment_is_no_unit_that_is_on_its_way(
    services, new_product, put, put_payment, flashsale
):
    """Otherwise a payment, which nobody can read as an order, would hide a lost unit of V4."""
    product_id = await new_product(5, in_redis=4)
    put("payments", "unread")

    done = flashsale("verify", product_id, "--json")

    (row,) = json.loads(done.stdout)["products"]
    assert (row["lost"], row["unsettled"]) == (1, 0)


def test_looking_at_payments_changes_nothing(put_payment, target, in_queue):
    assert [message.id for message in look(target, "payments-dlq", 5)] == [put_payment]
    assert in_queue("payments-dlq") == {put_payment}
