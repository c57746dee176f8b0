"""What happens to a waiting room from outside, for its state machine: time, admins, losses."""

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from flashsale.domain.claims import SaleState
from tests.integration.room_processes import RoomProcesses
from tests.integration.room_sale import lose, pass_time


class RoomTroubles(RoomProcesses):
    """Rules of time, of admins, and of Redis."""

    @rule(milliseconds=st.sampled_from([300, 1000, 5000, 11_000, 35_000, 130_000, 310_000, -5000]))
    def time_passes(self, milliseconds):
        """Let time pass, in which nobody comes; or let the clock of Redis step back."""
        self.run(pass_time(self.services, self.product_id, milliseconds))
        self.opens_in -= milliseconds / 1000
        self.passed += max(0, milliseconds) / 1000

    @rule(paused=st.sampled_from([True, False, False]))
    def pause_the_room(self, paused):
        """Stop the calls, or go on."""
        self.run(self.rooms.set_paused(self.product_id, paused=paused))

    @precondition(lambda self: not self.lost)
    @rule(paused=st.sampled_from([True, False, False]))
    def pause_the_sale(self, paused):
        """Stop claims and calls, or go on."""
        stock = self.services.stock
        self.run((stock.pause_sale if paused else stock.resume_sale)(self.product_id))

    @rule(
        lost=st.sampled_from([{"queue"}, {"door"}, {"queue", "door"}]),
        ends_after=st.sampled_from(["pause", "door", "queue", "queue"]),
    )
    def lose_redis(self, lost, ends_after):
        """Lose all of Redis or one of two shards, and rebuild; perhaps crash on the way."""
        queue, door = "queue" in lost, "door" in lost
        self.run(lose(self.services, self.product_id, queue=queue, door=door))
        self.lost |= lost
        if queue and self.saved.drawn != self.promises.drawn:
            self.promises.drawn = None  # shown after 10 s, and PostgreSQL never had it
        if door:
            self.promises.serving = 0
            self.answers.clear()
        self.run(self.rebuild(ends_after))

    @rule(ends_after=st.sampled_from(["pause", "door", "queue", "queue"]))
    def rebuild_again(self, ends_after):
        """Rebuild, though perhaps nothing is lost."""
        self.run(self.rebuild(ends_after))

    @precondition(lambda self: not self.lost)
    @rule()
    def open_another_room(self):
        """End the sale and open it again, as if a day later."""
        self.run(self.services.stock.pause_sale(self.product_id, SaleState.ENDED))
        self.run(self.open_new_room())
