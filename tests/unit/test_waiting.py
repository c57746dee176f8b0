"""What waits in the queues, as units of products; and what books make of it."""

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
    """Of ten units one is confirmed, and six are neither in stock nor confirmed."""
    return Books("p-04", generations, 10, 3, 9, 1, 0, **more)


def test_what_was_read_counts_for_what_it_names_and_the_rest_may_be_anything():
    read = [("orders", order("a")), ("dlq", order("b", "p-05", 2)), ("parking", order("c"))]

    waiting = waiting_in(DEPTHS, read)

    assert waiting == Waiting(3, {"p-04": 1, "p-05": 2}, {"p-04": 1})


def test_what_is_no_order_and_what_a_ledger_has_are_no_units_of_v4():
    near = json.dumps({"product_id": "p-04", "id": 7})
    read = [("orders", "poison"), ("orders", envelope()), ("dlq", near), ("parking", "p-04")]

    assert waiting_in({"orders": 2, "dlq": 1, "parking": 1}, read) == NOTHING


def test_an_order_in_two_messages_counts_once_and_as_coming():
    read = [("orders", order("a")), ("parking", order("a")), ("parking", order("a"))]

    assert waiting_in({"orders": 1, "parking": 2}, read) == Waiting(0, {"p-04": 1}, {})


def test_a_message_that_left_before_it_was_read_may_be_anything():
    assert waiting_in({"orders": 2}, [("orders", "poison")]).unread == 1
    assert waiting_in({"orders": 0}, [("orders", order("new"))]) == Waiting(0, {"p-04": 1}, {})


def test_what_was_parked_before_is_not_counted_twice():
    before = Waiting(1, {"p-04": 1}, {"p-04": 1})

    now = Waiting(2, {"p-04": 2}, {"p-04": 3}).or_earlier(before)

    assert now == Waiting(3, {"p-04": 3}, {"p-04": 3})


def test_units_that_are_gone_are_parked_first_then_on_their_way_then_lost():
    row = books().expecting(Waiting(1, {"p-04": 2}, {"p-04": 1}))

    assert (row.parked, row.unsettled, row.lost, row.exact) == (1, 3, 2, False)
    assert row.broken
    known = books().expecting(Waiting(0, {"p-04": 2}, {"p-04": 4}))
    assert (known.parked, known.unsettled, known.lost, known.exact) == (4, 2, 0, True)
    assert known.balanced


def test_messages_explain_no_more_than_is_gone():
    row = books().expecting(ANYTHING)

    assert (row.parked, row.unsettled, row.lost) == (0, 6, 0)
    assert books().expecting(Waiting(0, {}, {"p-04": 99})).parked == 6
    assert books().expecting(Waiting(0, {"p-05": 9}, {"p-05": 9})).lost == 6


def test_who_writes_orders_at_once_has_none_in_a_queue():
    for generation in (1, 2, 3):
        row = books((generation,))
        assert row.expecting(ANYTHING).unsettled == row.expecting(ANYTHING).parked == 0


class _Aws:
    """AWS with one order parked, for somebody who may receive, or may not."""

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
def test_on_aws_only_parking_is_read_where_a_receive_counts_for_nothing(may, receive, waiting):
    urls = {name: f"{name}-url" for name in ("orders", "dlq", "parking")}
    target = SimpleNamespace(endpoint_url="", cloud=_Aws(may=may), queues=urls)

    look = look_into_queues(target, _Sqs(), receive=receive)

    assert look.waiting == waiting
    assert target.cloud.asked == ["parking-url"] * receive
