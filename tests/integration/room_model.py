"""What a waiting room has promised its users, for its state machine."""

from dataclasses import dataclass, field


@dataclass
class Saved:
    """What PostgreSQL knows of a room."""

    epoch: int = 1
    serving: int = 0
    issued: int = 0
    drawn: int | None = None


@dataclass
class Promises:
    """What users were told in one epoch.

    Attributes:
        owners: users, by number.
        tickets: the numbers that a user was told, the newest last.
        drawn: how many were drawn, once that was shown.
        used: users who were let in, and their places, since their door was made.
        admissions: how often a user was let in.
        orders: the orders of a user.
        serving: the highest since the last loss of the door.

    """

    owners: dict[int, str] = field(default_factory=dict)
    tickets: dict[str, list[int]] = field(default_factory=dict)
    drawn: int | None = None
    used: set[tuple[str, int]] = field(default_factory=set)
    admissions: dict[str, int] = field(default_factory=dict)
    orders: dict[str, set[str]] = field(default_factory=dict)
    serving: int = 0

    def gave(self, user, number, *, new):
        """Keep a number that Redis gave to a user."""
        assert not new or number not in self.owners, "R1: a number was given twice"
        assert self.owners.setdefault(number, user) == user, "R1: two users have one number"

    def told(self, user, number):
        """Keep a ticket."""
        numbers = self.tickets.setdefault(user, [])
        if number not in numbers:
            numbers.append(number)

    def showed(self, queue):
        """Keep a draw that everybody can see."""
        if queue and queue.shown:
            assert self.drawn in {None, queue.drawn}, "R7: places change after they were shown"
            self.drawn = queue.drawn

    def admitted(self, user, place):
        """Keep an admission of a user who was not inside."""
        assert (user, place) not in self.used, "R5: one place was let in twice"
        self.used.add((user, place))
        self.admissions[user] = self.admissions.get(user, 0) + 1

    def sold(self, user, order_id):
        """Keep an order."""
        orders = self.orders.setdefault(user, set())
        orders.add(order_id)
        assert len(orders) <= self.admissions.get(user, 0), "R5: more orders than admissions"

    def serves(self, serving):
        """Keep how far the room is."""
        assert serving >= self.serving, "R4: nobody is called back"
        self.serving = serving


class Calls:
    """The calls of a room, and that they are no faster than its rate.

    Args:
        max_rate: calls a second.

    """

    def __init__(self, max_rate):
        self._max_rate = max_rate
        self._before = 0.0, 0
        self._steps = []  # seconds before and after it, calls

    def note(self, seconds, serving):
        """Keep how far the room is at this time, and check R6 for every window that ends now."""
        began, before = self._before
        self._before = seconds, serving
        if serving <= before:  # fewer after a loss
            return
        self._steps.append((began, seconds, serving - before))
        made = 0
        for start, _, step in reversed(self._steps):
            made += step
            most = self._max_rate * (seconds - start) + max(1, 2 * self._max_rate)
            assert made <= most, "R6: more calls than the rate allows"


def place_of(number, drawn):
    """Return a place, as any permutation of those who were drawn may give it."""
    return drawn - 1 - number if number < drawn else number
