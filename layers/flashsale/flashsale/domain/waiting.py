"""The units of V4 orders that wait in the queues.

V5 does not need this: its ledger has every unsettled unit. A V4 order on its way exists only as a
message. A message that was read counts the units that it names. A message that could not be read
may be one unit of any product, because V4 sells one unit at a time. A message cannot be read while
a function has it, behind a long queue, or on AWS, where reading counts as a receive.

All readers of the books use this module: `flashsale verify`, the live page, the exporter, the admin
API and the alarms of the sweep function.
"""

import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from flashsale.domain.messages import QueuedOrder, orders_of_message
from flashsale.domain.model import V5
from flashsale.errors import InvalidMessage

# The queue whose messages wait for the operator. No function receives from it.
PARKING = "parking"


@dataclass(frozen=True, slots=True)
class Waiting:
    """The most units of V4 that can be in the queues.

    Attributes:
        unread: messages that were not read. Each may be one unit of any product.
        coming: units by product in messages that were read and that a function will process.
        parked: units by product in messages that were read and that wait for the operator.

    """

    unread: int = 0
    coming: Mapping[str, int] = field(default_factory=dict)
    parked: Mapping[str, int] = field(default_factory=dict)

    def or_earlier(self, earlier: "Waiting") -> "Waiting":
        """Return the most that can wait now, if messages may have moved since `earlier`."""
        coming = Counter(self.coming) + Counter(earlier.coming)
        return Waiting(self.unread + earlier.unread, coming, self.parked)


NOTHING = Waiting()
# While SQS is unavailable, any unit may be in a queue, so none counts as lost.
ANYTHING = Waiting(unread=sys.maxsize)


def waiting_in(depths: Mapping[str, int], read: Iterable[tuple[str, str]]) -> Waiting:
    """Compute what waits from the depth of each queue and the messages that could be read.

    A message that is not an order has no units. An order in two messages counts once, as coming.

    Args:
        depths: messages by queue, including those in flight. Read the depths before the messages:
            a message that leaves in between then counts as unread, and not as lost.
        read: queue and body of each message that was read, once per message.

    """
    left, orders, parked = dict(depths), dict[str, QueuedOrder](), dict[str, QueuedOrder]()
    for queue, body in read:
        left[queue] = left.get(queue, 0) - 1
        (parked if queue == PARKING else orders).update((o.id, o) for o in orders_of_v4(body))
    unread = sum(max(0, count) for count in left.values())
    return Waiting(unread, _units(orders), _units({k: parked[k] for k in parked.keys() - orders}))


def orders_of_v4(body: str) -> list[QueuedOrder]:
    """Return the V4 orders of a message; none if it is not an order."""
    try:
        return [order for order in orders_of_message(body) if order.generation != V5]
    except InvalidMessage:
        return []


def _units(orders: Mapping[str, QueuedOrder]) -> Counter[str]:
    units = Counter[str]()
    for order in orders.values():
        units[order.product_id] += order.quantity
    return units
