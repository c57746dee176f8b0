"""How V4's buyers learn what became of their order, on both edges."""

from urllib.parse import urljoin

import pytest

from flashsale.domain.messages import QueuedOrder
from flashsale.domain.model import NO_UNITS_LEFT
from flashsale.errors import DatabaseUnavailable
from flashsale.http.application import create_app
from flashsale.usecases.compensate import compensate
from flashsale.usecases.place_orders import place_orders
from tests.helpers.in_process import client_of
from tests.helpers.queued import Queue
from tests.helpers.support import USERS
from tests.integration.troubles.edges import AsgiEdge, LambdaEdge


@pytest.fixture(params=[AsgiEdge, LambdaEdge], ids=["asgi", "lambda"])
async def edge(request, migrated):
    edge = request.param(migrated)
    edge.services.order_queue = Queue()
    yield edge
    await edge.close()


async def buy(edge, product_id):
    """A purchase of V4, and the path to which its answer leads."""
    answer = await edge.ask("POST", "/api/v4/buy", {"productId": product_id, "userId": USERS[0]})
    assert (answer.status, answer.headers["retry-after"]) == (202, "1")
    return answer.json["orderId"], urljoin("/api/v4/buy", answer.headers["location"])


async def state(edge, path):
    answer = await edge.ask("GET", path)
    assert answer.status == 200, answer.text
    return answer.json["status"], answer.json["reason"]


def is_not_written(answer):
    assert (answer.status, answer.json["error"]) == (404, "Not Found")
    return "ask again" in answer.json["message"]


async def test_the_answer_leads_to_the_order_once_it_is_written(edge, new_product):
    order_id, path = await buy(edge, await new_product(2))
    assert path == f"/api/orders/{order_id}"
    assert is_not_written(await edge.ask("GET", path)), "no queue can be searched"

    await edge.run(lambda services: place_orders(services, services.order_queue.take()))

    assert await state(edge, path) == ("CONFIRMED", None)


async def test_an_order_whose_message_has_failed_is_pending_until_it_is_decided(
    edge, new_product, monkeypatch
):
    _, path = await buy(edge, await new_product(2))
    messages = edge.services.order_queue.take()

    async def down(_orders):
        raise DatabaseUnavailable("postgres.internal does not answer")

    with monkeypatch.context() as patch:
        patch.setattr(edge.services.orders, "write_batch", down)
        await edge.run(lambda services: place_orders(services, messages))
    assert await state(edge, path) == ("PENDING", None)

    await edge.run(lambda services: compensate(services, messages))

    assert await state(edge, path) == ("CANCELLED", "The order could not be completed.")


async def test_an_order_without_units_says_so(edge, new_product):
    _, path = await buy(edge, await new_product(0, in_redis=1))

    await edge.run(lambda services: place_orders(services, services.order_queue.take()))

    assert await state(edge, path) == ("CANCELLED", "No units were left.")


@pytest.mark.parametrize(
    "order_id", ["unknown", "0cc038e0-e208-486f-9d24-41c063e75405", "p-01:1-1", "a b", "%00", "{x}"]
)
async def test_an_unknown_order_is_404(edge, order_id):
    assert is_not_written(await edge.ask("GET", f"/api/orders/{order_id}"))


async def test_an_order_of_v5_is_answered_too(edge, services, new_product):
    product_id = await new_product(5)
    body = {"productId": product_id, "userId": USERS[0]}
    order_id = (await edge.ask("POST", "/api/v5/buy", body)).json["orderId"]
    path = f"/api/orders/{order_id}"
    assert await state(edge, path) == ("PENDING", None)

    entry_id = order_id.rpartition(":")[2]
    order = QueuedOrder.of_claim(product_id, entry_id, USERS[0], 1, "")
    await services.orders.cancel_unless_confirmed([order], [NO_UNITS_LEFT])
    await services.ledger.release(product_id, [order])

    assert await state(edge, path) == ("CANCELLED", "No units were left.")


@pytest.mark.parametrize("prefix", ["/shop", "/_aws/execute-api/flashsale", "/api/v4"])
async def test_the_place_to_ask_is_below_the_prefix_of_the_request(services, new_product, prefix):
    product_id = await new_product(1)
    services.order_queue = Queue()
    async with client_of(create_app(lambda: services), root_path=prefix) as http:
        body = {"productId": product_id, "userId": USERS[0]}
        answer = await http.post(f"{prefix}/api/v4/buy", json=body)
        await place_orders(services, services.order_queue.take())
        place = answer.url.join(answer.headers["location"])
        order = await http.get(place)

    assert place.path == f"{prefix}/api/orders/{answer.json()['orderId']}"
    assert order.json()["status"] == "CONFIRMED"
