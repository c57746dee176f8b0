"""A waiting room as a state machine: steps in any order, with losses and crashes between any two.

What takes several calls may stop after any of them, or go on much later with what was true then: a
join and its ticket, a draw and its row in PostgreSQL, the way from a look to an admission, a
rebuild. After every rule R1 to R7 of the waiting room hold.
"""

import asyncio
import os

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from flashsale.domain.messages import QueuedOrder
from flashsale.domain.rooms import NotAdmitted
from flashsale.redis_store.scripts import Keys, QueueKeys
from tests.helpers.support import USERS
from tests.integration.room_processes import MAX_INSIDE
from tests.integration.room_sale import now
from tests.integration.room_troubles import RoomTroubles

PEOPLE = st.sampled_from(USERS[:6])
USERS_AT_ONCE = st.lists(PEOPLE, min_size=1, max_size=5, unique=True)
# The newest ticket of a user, or an older one.
TICKETS = st.sampled_from([0, 0, 0, 1, 2])


class WaitingRoom(RoomTroubles):
    """The rules of what users and processes do, and the invariants that must hold."""

    @initialize(users=USERS_AT_ONCE, stage=st.sampled_from([0, 1, 2, 3, 3, 3]))
    def begin(self, users, stage):
        """Begin with some users who joined, were drawn, called, and let in."""
        self.join_from_a_new_device(users, answered=True)
        if stage > 0:
            self.time_passes(35_000)
            self.poll(ends_after=stage + 1)
        if stage > 2:
            self.admit(users, 0)

    # ---- rules -----------------------------------------------------------------------------

    @rule(ends_after=st.integers(1, 3))
    def poll(self, ends_after):
        """Run the room as a poll does, after a moment; perhaps crash on the way."""
        self.time_passes(1000)
        self.look()
        if ends_after > 1 and self.queue and self.queue.drawn is not None:
            self.save_the_draw(told=True)
        if ends_after > 2 and self.queue:
            self.advance(1)

    @rule(users=USERS_AT_ONCE, answered=st.booleans())
    def join_from_a_new_device(self, users, answered):
        """Join without a ticket. Without an answer, the user does not get one."""
        for user in users:
            self.run(self.join(user, answered=answered))

    @rule(user=PEOPLE, ticket=TICKETS)
    def join_with_a_ticket(self, user, ticket):
        """Join with a ticket, which matters after a loss only."""
        if numbers := self.promises.tickets.get(user):
            self.run(self.join(user, numbers[-1 - ticket % len(numbers)]))

    @rule(user=PEOPLE, answered=st.booleans())
    def join_again(self, user, answered):
        """Give up a place that has lapsed."""
        number, answer = self.run(self.ask(user, 0))
        if answer is NotAdmitted.LAPSED:
            self.run(self.join(user, number, again=True, answered=answered))

    @rule(user=PEOPLE)
    def give_up_a_place_before_the_draw(self, user):
        """Try for a better place."""
        numbers = self.promises.tickets.get(user)
        if numbers and self.opens_in > 10:  # a busy machine stalls
            joined = self.run(
                self.rooms.join(
                    self.product_id, user, number=numbers[-1], epoch=self.saved.epoch, again=True
                )
            )
            assert joined is None or joined.number in numbers

    @rule(user=PEOPLE, number=st.integers(0, 3))
    def use_what_is_left_of_an_earlier_room(self, user, number):
        """Go on with the copies of a process that has not heard of this room."""
        earlier = self.saved.epoch - 1
        self.run(self.join(user, number, epoch=earlier))
        assert self.run(self.rooms.admit(self.product_id, user, 0, earlier)) is None
        assert self.run(self.rooms.advance(self.product_id, 99, earlier)) is None

    @rule()
    def look(self):
        """Read the queue, and keep the copy."""
        self.queue = self.run(self.rooms.look(self.product_id))
        self.promises.showed(self.queue)

    @precondition(lambda self: self.queue and self.queue.drawn is not None)
    @rule(told=st.booleans())
    def save_the_draw(self, told):
        """Write the draw of a copy to PostgreSQL, and perhaps tell Redis."""
        if self.queue.epoch != self.saved.epoch:
            return
        if self.saved.drawn is None:
            self.saved.drawn = self.queue.drawn
        if told:
            saved = self.saved.epoch, self.saved.drawn
            self.queue = self.run(self.rooms.look(self.product_id, saved=saved))
            self.promises.showed(self.queue)

    @precondition(lambda self: self.queue)
    @rule(processes=st.sampled_from([1, 1, 3]))
    def advance(self, processes):
        """Call by a copy of the queue, in several processes at once."""
        self.door = self.run(self._advance(processes)) or self.door

    async def _advance(self, processes):
        queue = self.queue
        calls = (
            self.rooms.advance(self.product_id, queue.callable, queue.epoch)
            for _ in range(processes)
        )
        return (await asyncio.gather(*calls))[-1]

    @precondition(lambda self: self.queue and self.door)
    @rule()
    def save(self):
        """Write the figures of the copies to PostgreSQL, where they never fall."""
        if self.queue.epoch == self.door.epoch == self.saved.epoch:
            self.saved.serving = max(self.saved.serving, self.door.serving)
            self.saved.issued = max(self.saved.issued, self.queue.issued)

    @rule(users=USERS_AT_ONCE, ticket=TICKETS)
    def admit(self, users, ticket):
        """Ask for admissions."""
        for user in users:
            self.run(self.ask(user, ticket))

    @rule(user=PEOPLE)
    def leave(self, user):
        """Leave the room, which is no way to a better place."""
        self.run(self.rooms.leave(self.product_id, user))

    @rule(
        user=PEOPLE,
        key=st.sampled_from(["", "", "k"]),
        admission=st.sampled_from(["valid", "valid", ""]),
        units=st.sampled_from([1, 1, 2]),
    )
    def buy(self, user, key, admission, units):
        """Claim, whether inside or not, once or again."""
        self.run(self.claim(user, key and f"{key}-{self.product_id}", admission, units))

    @precondition(lambda self: self.claims and not self.lost)
    @rule(number=st.integers(0, 99))
    def cancel(self, number):
        """Give the units of an order back."""
        order_id = sorted(self.claims)[number % len(self.claims)]
        user, units = self.claims.pop(order_id)
        entry = order_id.rpartition(":")[2]
        order = QueuedOrder.of_claim(self.product_id, entry, user, units, "")
        self.run(self.services.ledger.give_back(order))

    # ---- invariants ------------------------------------------------------------------------

    @invariant()
    def the_room_keeps_its_promises(self):
        self.run(self._check())

    async def _check(self):
        keys, queue, at = (
            Keys(self.product_id),
            QueueKeys(self.product_id),
            await now(self.services),
        )
        async with self.services.redis.pipeline(transaction=False) as pipeline:
            pipeline.hgetall(queue.places)
            pipeline.zcount(keys.inside, f"({at}", "+inf")
            pipeline.hget(keys.door, "serving")
            pipeline.hget(queue.room, "issued")
            places, inside, serving, issued = await pipeline.execute()
        assert len(set(places.values())) == len(places), "R1: two users have one number"
        assert inside <= MAX_INSIDE, "R3: too many are inside"
        if "door" not in self.lost:
            self.promises.serves(int(serving))
            self.calls.note(self.seconds(), int(serving))
        if not self.lost:
            assert int(serving) <= int(issued), "R4: nobody has this place"

    def teardown(self):
        """Lose all, and rebuild. Each user with a ticket has their place."""
        try:
            self.lose_redis({"queue", "door"}, ends_after="queue")
            for user, numbers in self.promises.tickets.items():
                self.run(self.join(user, numbers[-1]))
            self.look()
            self.run(self._check())
        finally:
            self.run(self.services.close())
            self._runner.close()


@pytest.mark.timeout(600)  # when it fails, Hypothesis searches for a shorter example
def test_a_room_keeps_its_promises_after_any_sequence_of_steps(migrated):
    run_state_machine_as_test(
        lambda: WaitingRoom(migrated),
        settings=settings(
            max_examples=60,
            stateful_step_count=40,
            deadline=None,
            derandomize=True,  # the same examples in every run
            # With a planted fault, any example will do.
            phases=[Phase.generate, *([] if "PLANTED" in os.environ else [Phase.shrink])],
            suppress_health_check=list(HealthCheck),
        ),
    )
