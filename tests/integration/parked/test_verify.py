"""`flashsale verify` while messages wait: on their way, parked, or invalid."""

import json
from dataclasses import replace

import pytest

from flashsale.domain.claims import Claim
from flashsale.postgres_store.audit import Action
from flashsale.usecases import health
from flashsale.usecases.batch import ReceivedMessage
from flashsale.usecases.books import read_books
from flashsale.usecases.pauses import pause_unrecorded, record_pauses
from flashsale.usecases.place_orders import place_orders
from flashsale.usecases.relay import LEASE_MS, TOKEN
from flashsale_local.live_page.queue_look import QueueLooks
from flashsale_local.live_page.reading import read
from flashsale_local.queues.contents import look_into_queues
from flashsale_local.sale.seed import seed
from flashsale_local.stack.exporter import variables
from flashsale_server.exporter.queues import Queues
from flashsale_server.exporter.sale import Sale
from flashsale_server.exporter.settings import ExporterSettings
from flashsale_server.queues.depths import depths
from tests.helpers.queued import queued
from tests.helpers.support import USERS, by_labels
from tests.integration.parked.conftest import envelope_of, order_of

POISON = '{"product_id": "%s", "id": 7}'


def verified(flashsale, *arguments):
    done = flashsale("verify", "--json", *arguments)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def exported_queues(target):
    """The queues as an exporter of this deployment reads them."""
    return Queues(ExporterSettings.from_mapping(variables(target)))


async def sold_by_v4(services, new_product, units, missing):
    """Make a product with one confirmed unit of V4 and `missing` units in no place."""
    product_id = await new_product(units, in_redis=units - 1 - missing)
    await place_orders(services, queued(product_id))
    return product_id


async def test_poisoned_messages_hide_no_loss(services, new_product, put, target, flashsale):
    product_id = await sold_by_v4(services, new_product, 30, missing=24)
    for queue in ("orders", "dlq", "parking"):
        put(queue, "poison", POISON % product_id, order_of("another-product"))

    status, told = verified(flashsale, product_id)

    (row,) = told["products"]
    assert (row["lost"], row["unsettled"], row["parked"], row["exact"]) == (24, 0, 0, True)
    assert status == 1
    page = (await read(services, product_id, None, await QueueLooks(target).take())).books
    exported = by_labels(await Sale(services, exported_queues(target)).read_books(), product_id)
    assert page.lost == exported["lost_units", product_id] == 24
    assert exported["books_broken", product_id] == 1


async def test_an_order_that_was_read_counts_for_its_product_only(
    services, new_product, put, flashsale
):
    product_id = await sold_by_v4(services, new_product, 10, missing=5)
    other = await sold_by_v4(services, new_product, 10, missing=1)
    twice = order_of(product_id, quantity=2)
    put("orders", twice, order_of(product_id))
    put("dlq", twice)

    _, told = verified(flashsale, product_id, other)

    by_id = {row["product_id"]: row for row in told["products"]}
    assert (by_id[product_id]["unsettled"], by_id[product_id]["lost"]) == (3, 2)
    assert (by_id[other]["unsettled"], by_id[other]["lost"]) == (0, 1)


async def test_unread_messages_are_reported_as_an_upper_bound(
    services, new_product, put, target, flashsale
):
    product_id = await sold_by_v4(services, new_product, 10, missing=3)
    put("orders", *["unread"] * 3)

    queues = look_into_queues(target, most=2)  # a long queue during a sale is not read
    (row,) = await read_books(services, [product_id], queues.waiting)
    shown = flashsale("verify", product_id).stdout

    assert (row.unsettled, row.exact, row.balanced) == (3, False, True)
    assert "≤" not in shown, "verify reads them all"


async def test_a_parked_order_has_its_own_state_and_exit_status(
    services, new_product, put, target, flashsale
):
    product_id = await sold_by_v4(services, new_product, 10, missing=2)
    order = order_of(product_id)
    (message_id,) = put("parking", order)
    put("orders", order_of(product_id))

    status, told = verified(flashsale, product_id)
    shown = flashsale("verify", product_id)

    (row,) = told["products"]
    assert (row["parked"], row["unsettled"], row["lost"], row["broken"]) == (1, 1, 0, False)
    assert (status, shown.returncode) == (3, 3)
    (parked,) = told["parked"]
    assert parked["id"] == message_id
    assert parked["orders"] == [{"id": order.id, "product_id": product_id, "units": 1}]
    assert f"order {order.id}: 1 unit of {product_id}" in shown.stdout
    assert f"flashsale dlq cancel parking --message {message_id}" in shown.stdout
    page = (await read(services, product_id, None, await QueueLooks(target).take())).books
    exported = by_labels(await Sale(services, exported_queues(target)).read_books(), product_id)
    assert page.parked == exported["parked_units", product_id] == 1
    assert exported["unsettled_units", product_id] == 1


async def test_a_parked_order_without_units_hides_no_loss_of_others(
    services, new_product, put, flashsale
):
    whole = await sold_by_v4(services, new_product, 5, missing=0)
    product_id = await sold_by_v4(services, new_product, 5, missing=1)
    put("parking", order_of(whole))

    status, told = verified(flashsale, product_id)

    assert (status, told["products"][0]["lost"], told["parked"]) == (1, 1, [])


async def test_parked_claims_of_v5_are_reported_as_unsettled(services, new_product, put, flashsale):
    product_id = await new_product(5)
    await services.ledger.claim(Claim(product_id, USERS[0], 2), TOKEN, LEASE_MS)
    put("parking", envelope_of(*await services.ledger.take_unsent(product_id, 10)))

    status, told = verified(flashsale, product_id)
    shown = flashsale("verify", product_id).stdout

    (row,) = told["products"]
    assert (status, row["unsettled"], row["parked"], row["exact"]) == (0, 2, 0, True)
    assert f"1 claims of V5: 2 units of {product_id}" in shown
    assert "the sweep sends them again" in shown


async def test_waiting_for_orders_ignores_parked_messages(new_product, put, flashsale):
    product_id = await new_product(1)
    put("parking", "poison")

    done = flashsale("verify", "--wait", "600", product_id)  # the test's own deadline is 60 s

    assert done.returncode == 0, done.stderr
    assert "flashsale dlq discard parking" in done.stdout


@pytest.mark.parametrize("names", [["nope"], ["", "nope"]])
async def test_a_mistyped_product_does_not_succeed(flashsale, new_product, names):
    product_id = await new_product(1)

    done = flashsale("verify", product_id, *names)

    assert (done.returncode, done.stdout) == (2, "")
    assert "No such product" in done.stderr
    assert "nope" in done.stderr


async def test_messages_a_function_may_not_read_are_an_upper_bound(
    services, new_product, put, target
):
    product_id = await sold_by_v4(services, new_product, 5, missing=2)
    put("parking", "poison")
    services.settings = replace_urls(services.settings, target)

    waiting = await health.messages_waiting(services)
    (row,) = await read_books(services, [product_id], waiting)

    assert (row.unsettled, row.exact, row.lost) == (1, False, 1)
    assert depths(target.queues)["parking"].total == 1


def replace_urls(settings, target):
    return replace(
        settings,
        orders_queue_url=target.queues["orders"],
        dead_letter_queue_url=target.queues["dlq"],
        parking_queue_url=target.queues["parking"],
    )


@pytest.mark.parametrize("name", ["claims", "envelope", "order", '"claims":'])
async def test_a_sale_of_v4_cannot_be_drained_by_its_name(services, claimed, put, target, name):
    product_id = await claimed(1)
    await seed(services, [name], [], 0)
    (id_,) = put("orders", order_of(product_id, name))
    (message,) = look_into_queues(target).read

    outcome = await place_orders(services, [ReceivedMessage(id_, message.body)])

    assert not outcome.failures
    (row,) = await read_books(services, [product_id])
    assert (row.confirmed, row.balanced) == (1, True)


async def test_a_pause_that_the_audit_does_not_have_yet_is_shown(services, new_product, flashsale):
    product_id = await new_product(5)
    await pause_unrecorded(services, Action("cli ops", "pause", product_id, {}, "corr", "k-verify"))

    _, document = verified(flashsale, product_id)
    shown = flashsale("verify", product_id).stdout
    await record_pauses(services, [product_id])

    assert [(one["who"], one["outcome"]) for one in document["unrecorded"]] == [
        ("cli ops", "in Redis")
    ]
    assert f"Not in the audit yet: {product_id} was paused by cli ops" in shown
    assert "Not in the audit yet" not in flashsale("verify", product_id).stdout
