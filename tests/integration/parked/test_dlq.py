"""How the operator clears parked messages: `flashsale dlq cancel` and `dlq discard`."""

import asyncio

import boto3
import pytest

from flashsale.domain.claims import Claim
from flashsale.redis_store.failures import Failure
from flashsale.usecases.place_orders import place_orders
from flashsale.usecases.relay import LEASE_MS, TOKEN
from flashsale_local.queues import parked
from flashsale_local.queues.failed import look
from flashsale_server.queues.depths import depths
from tests.helpers.queued import books_of, queued
from tests.helpers.support import USERS
from tests.integration.parked.conftest import envelope_of, order_of


@pytest.fixture
def in_parking(target):
    """Return a function that lists the ids of all visible messages."""

    def ids():
        depth = depths(target.queues)["parking"]
        assert depth.in_flight == 0
        return {message.id for message in look(target, "parking", 100)}

    return ids


async def test_a_parked_order_is_cancelled_once_and_the_books_balance(
    services, claimed, put, flashsale, in_parking
):
    product_id = await claimed(2)
    orders = [order_of(product_id), order_of(product_id, "nobody")]
    first, second = put("parking", *orders)
    (poison,) = put("parking", "poison")
    await services.failures.remember([Failure(second, "no user 'nobody'")])

    one = flashsale("dlq", "cancel", "parking", "--message", first, "--yes")
    assert in_parking() == {second, poison}
    rest = flashsale("dlq", "cancel", "--all", "--yes")

    assert (one.returncode, rest.returncode) == (0, 0), one.stderr + rest.stderr
    assert "1 orders are CANCELLED, 1 units went back to the stock" in one.stdout
    assert "1 other messages stay" in rest.stdout
    assert in_parking() == {poison}
    books = await books_of(services, product_id)
    assert (books.redis_stock, books.cancelled, books.balanced) == (2, 2, True)
    put("parking", *orders)  # as if the deletion had been lost
    again = flashsale("dlq", "cancel", "--all", "--yes")
    assert "2 orders are CANCELLED, 0 units went back" in again.stdout
    assert (await books_of(services, product_id)).redis_stock == 2
    assert flashsale("verify", product_id).returncode == 0


async def test_an_order_that_is_confirmed_by_now_keeps_its_unit(
    services, claimed, put, flashsale, in_parking
):
    product_id = await claimed(1)
    (message,) = queued(product_id)
    await place_orders(services, [message])
    put("parking", message.body)

    done = flashsale("dlq", "cancel", "--all", "--yes")

    assert "0 units went back to the stock. 1 orders are CONFIRMED and stay so" in done.stdout
    assert in_parking() == set()
    books = await books_of(services, product_id)
    assert (books.confirmed, books.redis_stock) == (1, 0)


async def test_claims_of_v5_are_released_by_their_ledger(services, new_product, put, flashsale):
    product_id = await new_product(3)
    await services.ledger.claim(Claim(product_id, USERS[0], 2), TOKEN, LEASE_MS)
    put("parking", envelope_of(*await services.ledger.take_unsent(product_id, 10)))

    done = flashsale("dlq", "cancel", "--all", "--yes")

    assert "1 orders are CANCELLED, 2 units went back" in done.stdout
    snapshot = await services.ledger.snapshot(product_id, count_claims=True)
    assert (snapshot.stock, snapshot.unsettled, snapshot.released) == (3, 0, 2)


async def test_nothing_happens_before_the_question_is_answered(
    services, claimed, put, flashsale, in_parking
):
    product_id = await claimed(1)
    ids = set(put("parking", order_of(product_id), "poison"))

    for command in ("cancel", "discard"):
        for typed in ("n\n", ""):
            done = flashsale("dlq", command, "--all", typed=typed)
            assert done.returncode == 1
            assert "?" in done.stderr

    assert in_parking() == ids
    assert (await books_of(services, product_id)).cancelled == 0
    assert flashsale("dlq", "cancel", "--all", typed="y\n").returncode == 0
    assert (await books_of(services, product_id)).redis_stock == 1


async def test_without_a_store_the_order_stays_parked_and_the_cause_is_shown(
    services, without, claimed, put, target, in_parking
):
    product_id = await claimed(1)
    ids = put("parking", order_of(product_id))
    chosen = await parked.read_parked(services, look(target, "parking", 10))

    ended = await parked.cancel(without("redis_url"), target, chosen)

    assert [failure.message_id for failure in ended.failures] == ids
    assert "Redis" in ended.failures[0].cause
    assert in_parking() == set(ids)
    assert (await parked.cancel(services, target, chosen)).released == 1
    assert (await books_of(services, product_id)).balanced


async def test_two_concurrent_operators_release_the_unit_once(services, claimed, put, target):
    product_id = await claimed(5)
    put("parking", *[order_of(product_id) for _ in range(5)])
    chosen = await parked.read_parked(services, look(target, "parking", 10))

    ended = await asyncio.gather(*(parked.cancel(services, target, chosen) for _ in range(2)))

    assert sum(one.released for one in ended) == 5
    assert sum(len(one.deleted) for one in ended) == 5
    assert all(failure.cause == parked.BUSY for one in ended for failure in one.failures)
    assert (await books_of(services, product_id)).redis_stock == 5


async def test_an_invalid_message_is_printed_and_discarded(
    services, claimed, put, flashsale, in_parking
):
    product_id = await claimed(1)
    poison, stranger = put("parking", '{"poison": "\u202e pill"}', order_of("no-such-product"))
    (order,) = put("parking", order_of(product_id))
    await services.failures.remember([Failure(poison, "not an order: body")])

    done = flashsale("dlq", "discard", "parking", "--all", "--yes")

    assert done.returncode == 0, done.stderr
    for text in ("not an order: body", '{"poison": "\\u202e pill"}', "no-such-product"):
        assert text in done.stdout
    assert {f"discarded {poison}", f"discarded {stranger}"} <= set(done.stdout.splitlines())
    assert in_parking() == {order}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["cancel", "dlq", "--all"], "rollback function"),
        (["discard", "nope", "--all"], "'nope' is not a queue of failed messages"),
        (["cancel"], "No messages were named"),
        (["discard", "--all", "--message", "x"], "No messages were named"),
        (["cancel", "--message", "nope", "--yes"], "No message nope in parking"),
        (["discard", "--message", "ORDER", "--yes"], "flashsale dlq cancel parking --message"),
        (["cancel", "--message", "POISON", "--yes"], "flashsale dlq discard parking --message"),
        (["peek", "nope"], "Use dlq, parking or payments-dlq"),
        (["redrive", "nope"], "Use dlq, parking or payments-dlq"),
    ],
)
async def test_impossible_requests_are_reported_and_change_nothing(
    claimed, put, flashsale, in_parking, arguments, words
):
    order, poison = put("parking", order_of(await claimed(1)), "poison")
    named = {"ORDER": order, "POISON": poison}

    done = flashsale("dlq", *(named.get(word, word) for word in arguments))

    assert done.returncode == 1
    assert words in " ".join(done.stderr.replace("│", "").split())
    assert in_parking() == {order, poison}


async def test_messages_that_were_not_selected_are_visible_at_once(
    services, claimed, put, target, in_parking
):
    product_id = await claimed(25)
    ids = put("parking", *[order_of(product_id) for _ in range(25)])
    found = await parked.read_parked(services, look(target, "parking", 100))

    await parked.cancel(services, target, [one for one in found if one.message.id == ids[24]])

    assert in_parking() == set(ids[:24])
    sqs, url = boto3.client("sqs"), target.queues["parking"]
    assert sqs.receive_message(QueueUrl=url, VisibilityTimeout=0)["Messages"]
