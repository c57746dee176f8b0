"""Rules and invariants of payment holds, for the state machine of V5."""

from decimal import Decimal

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from flashsale.usecases.holds import expire_holds, pay
from flashsale.usecases.place_orders import place_orders
from tests.integration.sale_processes import BUYERS, Processes

EVENTS = st.dictionaries(
    st.integers(0, 12),
    st.sampled_from(["crash", "claim", "order", "rollback", "expire", "pay", "cancel"]),
    max_size=2,
)
# By buyers whose orders can be written.
CLAIMS = st.lists(
    st.tuples(st.sampled_from(BUYERS[:-1]), st.integers(1, 3)), min_size=1, max_size=3
)


class HeldSale(Processes):
    """A sale whose orders are RESERVED until they are paid, as long as its product says so."""

    @initialize(
        seconds=st.sampled_from([600, 600, 0]),
        claims=CLAIMS,
        then=st.sampled_from(["nothing", "written", "written", "paid"]),
    )
    def begin(self, seconds, claims, then):
        """Begin with some claims, so that each sequence of rules has orders to work on."""
        self.run(self.set_hold(seconds))
        for claim in claims:
            self.run(self.claim_and_relay(self.services, *claim))
        if then != "nothing":
            self.run(place_orders(self.services, self.messages(range(len(claims)))))
        if then == "paid":
            self.run(self.pay_oldest())

    @rule(seconds=st.sampled_from([0, 600]))
    def change_the_hold(self, seconds):
        """Let orders from now on be RESERVED, or CONFIRMED at once."""
        self.run(self.set_hold(seconds))

    @precondition(lambda self: self.accepted)
    @rule(
        number=st.integers(0, 99),
        name=st.sampled_from("ab"),
        amount=st.sampled_from([None, None, None, Decimal(1)]),
        events=EVENTS,
    )
    def pay(self, number, name, amount, events):
        """Pay an order: before it is written, once or twice, late, or a wrong amount."""
        order_id = sorted(self.accepted)[number % len(self.accepted)]
        payment = self.payment(order_id, name, amount)
        self.run_process(lambda services: pay(services, payment), events)

    @precondition(lambda self: self.accepted)
    @rule(number=st.integers(0, 99), events=EVENTS)
    def buyer_cancels(self, number, events):
        """Cancel an order in any state as its buyer."""
        order_id = sorted(self.accepted)[number % len(self.accepted)]
        self.run_process(lambda services: self.cancel_as_buyer(services, order_id), events)

    @rule()
    def holds_end(self):
        """Let time pass until all holds have ended."""
        self.run(self.end_holds())

    @rule(events=EVENTS)
    def expire(self, events):
        """Expire what was not paid in time, and bring Redis in line."""
        self.run_process(lambda services: expire_holds(services, [self.product_id]), events)

    @invariant()
    def each_payment_and_its_order_agree(self):
        rows, payments = self.run(self.rows()), self.run(self.payments())
        applied = [one["order_id"] for one in payments if one["decision"] == "APPLIED"]
        assert len(applied) == len(set(applied)), "an order is paid once"
        paid = {id_ for id_, row in rows.items() if row["status"] == "CONFIRMED" and row["amount"]}
        assert paid == set(applied), "an order that must be paid is CONFIRMED by its payment only"
        for one in payments:
            if one["decision"] == "WAITING":
                continue
            assert one["order_id"] in rows
        due = [one for one in payments if one["decision"] == "REFUND_DUE"]
        assert all(one["why"] for one in due)

    async def payments(self):
        return await self.execute(
            "SELECT id, order_id, decision, why FROM payments WHERE order_id LIKE %s",
            [f"{self.product_id}:%"],
        )

    async def end_all_holds(self):
        """Pay nothing more: decide on payments, expire all holds, and bring Redis in line."""
        await self.end_holds()
        await expire_holds(self.services, [self.product_id])
        # A message may move a claim to the holds after its order has expired in PostgreSQL.
        await self.end_holds()
        await expire_holds(self.services, [self.product_id])
        assert not any(row["status"] == "RESERVED" for row in (await self.rows()).values())
        assert not any(one["decision"] == "WAITING" for one in await self.payments())
