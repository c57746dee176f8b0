"""Messages are recognised by their shape, whatever names a client chose."""

import pytest

from flashsale.domain.messages import Envelope, QueuedOrder, orders_of_message
from flashsale.errors import InvalidMessage

# Field names of messages, and texts that look like them.
NAMES = ["claims", "id", "envelope", "order", "product_id"]
QUOTED = ['"claims"', '{"claims":[]}', '\\"claims\\":']


@pytest.mark.parametrize("field", ["id", "product_id", "user_id", "correlation_id"])
@pytest.mark.parametrize("name", NAMES)
def test_an_order_may_contain_any_names(field, name):
    order = QueuedOrder(
        **{"id": "o-1", "product_id": "p", "user_id": "u", "generation": 4, field: name}
    )

    assert orders_of_message(order.model_dump_json()) == [order]


@pytest.mark.parametrize("name", NAMES + QUOTED)
def test_a_buyer_may_have_any_name(name):
    order = QueuedOrder(id="o-1", product_id="p", user_id=name, generation=4)
    claim = QueuedOrder.of_claim("claims", "1-1", name, 1, name)

    assert orders_of_message(order.model_dump_json()) == [order]
    assert orders_of_message(Envelope.of([claim]).model_dump_json()) == [claim]


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ('{"order": 1}', "order"),
        ('{"envelope": 1}', "envelope"),
        ('{"claims": 1, "product_id": "p"}', "claims"),
        ('{"id": "a b", "product_id": "p", "user_id": "u", "generation": 4}', "id"),
        ('"claims"', "body"),
        ("claims", "body"),
    ],
)
def test_an_error_names_the_wrong_field(body, where):
    with pytest.raises(InvalidMessage, match=f"^not an order: {where}: "):
        orders_of_message(body)


def test_a_message_of_both_shapes_is_rejected():
    with pytest.raises(InvalidMessage, match="id: Extra inputs"):
        orders_of_message('{"product_id": "p", "claims": [["1-1", "u", 1, ""]], "id": "o"}')
