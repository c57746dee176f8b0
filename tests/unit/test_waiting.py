"""Units of products that wait in the queues, and how the books use them."""

import json
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError

from flashsale.domain.messages import Envelope, QueuedOrder
from flashsale.domain.waiting import ANYTHING, NOTHING, Waiting, waiting_in
from flashsale.usecases.books import Books
from flashsale_local.queues.contents import look_into_queues
from flashsale_server.queues.messages import QueuedMessage

DEPTHS = {"orders": 3, "dlq": 2, "parking": 1}


def order(id_, product_id="p-04", quantity=1):
    one = QueuedOrder(id=id_, product_id=product_id, user_id="u", quantity=quantity, generation=4)
    return one.model_dump_json()


def envelope():
    return Envelope.of([QueuedOrder.of_claim("p-05", "1-1", "u", 2, "")]).model_dump_json()


def books(generations=(4,), **more):
    """Return books of ten units: one is confirmed, and six are in no place."""
    return Books("p-04", generations, 10, 3, 9, 1, 0, **more)


def test_read_messages_count_for_their_product_and_others_for_any():
    read = [("orders", order("a")), ("dlq", order("b", "p-05", 2)), ("parking", order("c"))]

    waiting = waiting_in(DEPTHS, read)

    assert waiting == Waiting(3, {"p-04": 1, "p-05": 2}, {"p-04": 1})


def test_invalid_messages_and_v5_claims_hold_no_units_of_v4():
    near = json.dumps({"product_id": "p-04", "id": 7})
    read = [("orders", "poison"), ("orders", envelope()), ("dlq", near), ("parking", "p-04")]

    assert waiting_in({"orders": 2, "dlq": 1, "parking": 1}, read) == NOTHING


def test_an_order_in_two_messages_counts_once_as_on_its_way():
    read = [("orders", order("a")), ("parking", order("a")), ("parking", order("a"))]

    assert waiting_in({"orders": 1, "parking": 2}, read) == Waiting(0, {"p-04": 1}, {})


def test_a_message_that_left_before_it_was_read_counts_as_unread():
    assert waiting_in({"orders": 2}, [("orders", "poison")]).unread == 1
    assert waiting_in({"orders": 0}, [("orders", order("new"))]) == Waiting(0, {"p-04": 1}, {})


def test_parked_messages_are_not_counted_twice():
    before = Waiting(1, {"p-04": 1}, {"p-04": 1})

    now = Waiting(2, {"p-04": 2}, {"p-04": 3}).or_earlier(before)

    assert now == Waiting(3, {"p-04": 3}, {"p-04": 3})


def test_missing_units_are_parked_first_then_on_their_way_then_lost():
    row = books().expecting(Waiting(1, {"p-04": 2}, {"p-04": 1}))

    assert (row.parked, row.unsettled, row.lost, row.exact) == (1, 3, 2, False)
    assert row.broken
    known = books().expecting(Waiting(0, {"p-04": 2}, {"p-04": 4}))
    assert (known.parked, known.unsettled, known.lost, known.exact) == (4, 2, 0, True)
    assert known.balanced


def test_messages_explain_no_more_units_than_are_missing():
    row = books().expecting(ANYTHING)

    assert (row.parked, row.unsettled, row.lost) == (0, 6, 0)
    assert books().expecting(Waiting(0, {}, {"p-04": 99})).parked == 6
    assert books().expecting(Waiting(0, {"p-05": 9}, {"p-05": 9})).lost == 6


def test_generations_without_a_queue_have_no_waiting_units():
    for generation in (1, 2, 3):
        row = books((generation,))
        assert row.expecting(ANYTHING).unsettled == row.expecting(ANYTHING).parked == 0


class _Aws:
    """AWS with one parked order, for a caller with or without the right to receive."""

    def __init__(self, *, may):
        self.may = may
        self.asked = []

    def peek(self, queue_url, limit):
        self.asked.append(queue_url)
        if not self.may:
            raise ClientError({"Error": {"Code": "AccessDenied"}}, "ReceiveMessage")
        return [QueuedMessage("m-1", order("a"), 10)][:limit]


class _Sqs:
    def get_queue_attributes(self, *, QueueUrl, **_):  # noqa: N803 - as boto3 has it
        names = ("", "NotVisible", "Delayed")
        count = {"": "1"} if QueueUrl != "orders-url" else {"NotVisible": "2"}
        return {"Attributes": {f"ApproximateNumberOfMessages{n}": count.get(n, "0") for n in names}}


@pytest.mark.parametrize(
    ("may", "receive", "waiting"),
    [
        (True, True, Waiting(3, {}, {"p-04": 1})),
        (False, True, Waiting(4, {}, {})),
        (True, False, Waiting(4, {}, {})),
    ],
)
def test_on_aws_only_parking_is_read_where_receives_are_harmless(may, receive, waiting):
    urls = {name: f"{name}-url" for name in ("orders", "dlq", "parking")}
    target = SimpleNamespace(endpoint_url="", cloud=_Aws(may=may), queues=urls)

    look = look_into_queues(target, _Sqs(), receive=receive)

    assert look.waiting == waiting
    assert target.cloud.asked == ["parking-url"] * receive
