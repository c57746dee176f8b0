"""What waits in the queues, as far as somebody could look, and whose units that may be.

V5 does not ask: its ledger has every unit that is unsettled. Of a V4 order that is on its way, only
its message knows. A message that was read counts for the units that it names. A message that nobody
could read (it is with a function, or the queue is long, or it is on AWS, where a look counts as a
receive) may have one unit of any product, because V4 sells one unit at a time.

Everything that shows books counts by this module: `flashsale verify`, the live page, the exporter,
the admin API and the sweep's alarms.
"""

import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from flashsale.domain.messages import QueuedOrder, orders_of_message
from flashsale.domain.model import V5
from flashsale.errors import InvalidMessage

# The queue whose messages wait for a person; its messages are on their way nowhere.
PARKING = "parking"


@dataclass(frozen=True, slots=True)
class Waiting:
    """Units of V4 in the queues, at most.

    Attributes:
        unread: messages that nobody read; each may have one unit of any product.
        coming: units by product in messages that were read and that a function works on.
        parked: units by product in messages that were read and that wait for a person.

    """

    unread: int = 0
    coming: Mapping[str, int] = field(default_factory=dict)
    parked: Mapping[str, int] = field(default_factory=dict)

    def or_earlier(self, earlier: "Waiting") -> "Waiting":
        """At most what waits now or waited then, where nobody can tell what moved in between."""
        coming = Counter(self.coming) + Counter(earlier.coming)
        return Waiting(self.unread + earlier.unread, coming, self.parked)


NOTHING = Waiting()
# While SQS does not say, any unit may be in a queue: none is lost.
ANYTHING = Waiting(unread=sys.maxsize)


def waiting_in(depths: Mapping[str, int], read: Iterable[tuple[str, str]]) -> Waiting:
    """What waits, from the depth of each queue and the messages that could be read.

    What is no order has no units. An order that is in two messages counts once, and as coming.

    Args:
        depths: messages by queue, also those that a function has, taken before the messages: one
            that leaves in between then counts as unread, and not as lost.
        read: queue and body of each message that was read, each message once.

    """
    left, orders, parked = dict(depths), dict[str, QueuedOrder](), dict[str, QueuedOrder]()
    for queue, body in read:
        left[queue] = left.get(queue, 0) - 1
        (parked if queue == PARKING else orders).update((o.id, o) for o in orders_of_v4(body))
    unread = sum(max(0, count) for count in left.values())
    return Waiting(unread, _units(orders), _units({k: parked[k] for k in parked.keys() - orders}))


def orders_of_v4(body: str) -> list[QueuedOrder]:
    """The orders of a message whose units no ledger has; none if it is no order."""
    try:
        return [order for order in orders_of_message(body) if order.generation != V5]
    except InvalidMessage:
        return []


def _units(orders: Mapping[str, QueuedOrder]) -> Counter[str]:
    units = Counter[str]()
    for order in orders.values():
        units[order.product_id] += order.quantity
    return units
