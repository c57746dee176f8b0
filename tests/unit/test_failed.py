"""Failed messages that move to another queue while they are read."""

from types import SimpleNamespace

from flashsale_local.queues import failed
from flashsale_server.queues.messages import QueuedMessage

QUEUES = {"dlq": "dlq-url", "parking": "parking-url", "payments-dlq": "payments-url"}


class _Moving:
    """A cloud in which a message moves from dlq to parking between two reads."""

    def peek(self, queue_url, limit):
        moving = QueuedMessage("m-1", "pill", 10)
        dlq, parking = [moving, QueuedMessage("m-2", "pill", 1)], [moving]
        return {"dlq-url": dlq, "parking-url": parking, "payments-url": []}[queue_url][:limit]


def test_a_message_that_moves_meanwhile_is_shown_once_in_its_new_queue():
    target = SimpleNamespace(cloud=_Moving(), queues=QUEUES)

    seen = failed.look_at_all(target, 20)

    assert {(message.id, message.queue) for message in seen} == {("m-1", "parking"), ("m-2", "dlq")}
    assert len(seen) == 2
