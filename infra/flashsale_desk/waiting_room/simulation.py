"""Takes a crowd through a waiting room, second by second, from the opening until it is sold out."""

import heapq
import math
import random
from collections import deque
from collections.abc import Callable

from flashsale_desk.waiting_room.crowd import Crowd, Outcome
from flashsale_desk.waiting_room.door import Answer, Door

SECOND, MINUTE = 1000, 60_000
# A room that has not sold its units by then is given up.
END = 24 * 60 * MINUTE


class Pipeline:
    """Writes the accepted claims one after the other."""

    def __init__(self, orders_per_second: float) -> None:
        self._each = SECOND / orders_per_second
        self._last = 0.0
        self._unsettled: deque[tuple[int, float]] = deque()

    def add(self, now: int) -> None:
        """Take a claim, which is settled when all before it are."""
        self._last = max(self._last, now) + self._each
        self._unsettled.append((now, self._last))

    def age(self, now: int) -> int:
        """Return the ms since the oldest unsettled claim, 0 without one."""
        while self._unsettled and self._unsettled[0][1] <= now:
            self._unsettled.popleft()
        return now - self._unsettled[0][0] if self._unsettled else 0


class Simulation:
    """One run. A user is called by their place, since each order of the draw is as likely."""

    def __init__(self, crowd: Crowd, seed: int) -> None:
        self._crowd = crowd
        self._random = random.Random(seed)  # noqa: S311 - nobody gains by guessing it
        self._door = Door.opened(
            crowd.units,
            max_rate=crowd.per_minute / 60,
            max_inside=crowd.max_inside,
            admission_ms=round(crowd.admission_seconds * SECOND),
            call_ms=round(crowd.call_seconds * SECOND),
            now=0,
        )
        self._pipeline = Pipeline(crowd.orders_per_second)
        self._found = Outcome()
        self._let_in: dict[int, int] = {}
        self._events: list[tuple[int, int, Callable[[int, int], None]]] = []

    def run(self) -> Outcome:
        """Let the crowd in until no unit and nobody who was called is left."""
        door, found, now = self._door, self._found, 0
        while now <= END:
            while self._events and self._events[0][0] <= now:
                at, place, happens = heapq.heappop(self._events)
                happens(at, place)
            self._look(now)
            everybody_called = door.serving == self._issued(now) and not self._crowd.arrivals
            if not self._events and (not door.stock or everybody_called):
                break
            now += SECOND
        found.called = door.serving
        # Who came after it was sold out would have joined nothing.
        found.still_waiting = self._issued(found.sold_out_at or now) - door.serving
        return found

    def _issued(self, now: int) -> int:
        return self._crowd.people + math.floor(self._crowd.arrivals * now / MINUTE)

    def _look(self, now: int) -> None:
        """Advance, as the first look of each second does."""
        called = self._door.serving
        self._door.advance(now, self._issued(now), self._pipeline.age(now))
        if self._door.stock:
            limits, why = self._found.limits, self._door.why
            limits[why] = limits.get(why, 0) + 1
        for place in range(called, self._door.serving):
            if self._random.random() < self._crowd.no_shows:
                self._found.no_shows += 1
            else:
                self._after(self._crowd.seconds_to_come, now, place, self._comes)

    def _after(
        self, seconds: float, now: int, place: int, happens: Callable[[int, int], None]
    ) -> None:
        """Let something happen after a random time, whose average is given."""
        wait = self._random.expovariate(1 / seconds) if seconds else 0
        heapq.heappush(self._events, (now + round(wait * SECOND), place, happens))

    def _comes(self, now: int, place: int) -> None:
        """Ask to be admitted, and once more each second while the room is full."""
        found = self._found
        if not self._door.stock:
            found.turned_away += 1
            return
        answer = self._door.admit(now, place, place)
        if answer is Answer.LAPSED:
            found.lapsed += 1
        elif answer is Answer.FULL:
            heapq.heappush(self._events, (now + SECOND, place, self._comes))
        else:
            found.admitted += 1
            found.most_inside = max(found.most_inside, len(self._door.inside))
            if self._random.random() < self._crowd.leavers:
                found.left += 1
            else:
                self._let_in[place] = now
                self._after(self._crowd.seconds_to_buy, now, place, self._buys)

    def _joined(self, place: int) -> int:
        later = place + 1 - self._crowd.people
        return round(later * MINUTE / self._crowd.arrivals) if later > 0 else 0

    def _buys(self, now: int, place: int) -> None:
        let_in = self._let_in.pop(place)
        bought = self._door.claim(now, place)
        if bought:
            self._found.waits.append(let_in - self._joined(place))
            self._pipeline.add(now)
            if not self._door.stock:
                self._found.sold_out_at = now
        elif bought is None:
            self._found.refused += 1
        else:
            self._found.too_slow += 1


def simulate(crowd: Crowd, seed: int = 1) -> Outcome:
    """Return what becomes of a crowd. The same seed gives the same people."""
    return Simulation(crowd, seed).run()
