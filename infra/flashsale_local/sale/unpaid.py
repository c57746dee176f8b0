"""The demo's sale with a payment hold: a third of its buyers never pays, and their units return."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from flashsale.domain.model import V5, Terms
from flashsale.domain.payments import Decision, RefundReason
from flashsale.services import Services
from flashsale.usecases import sales
from flashsale.usecases.books import Books, read_books
from flashsale_local.deployment.target import Target
from flashsale_local.problems import Problem
from flashsale_local.sale.answers import AnswerKind
from flashsale_local.sale.demo import CONNECTIONS, UNITS, await_orders
from flashsale_local.sale.load import buy_all
from flashsale_local.sale.paying import Due, pay, pay_late
from flashsale_local.sale.seed import seed, user_ids

# Seconds that a buyer has to pay. The demo holds other sales meanwhile.
HOLD = 25
# Buyers: some take all units, some come while nothing is left, some come after the holds have
# ended. A third of the first ones does not pay.
FIRST, SECOND, THIRD = UNITS, 20, 50
UNPAID = UNITS // 3
BUYERS = user_ids(FIRST + SECOND + THIRD)
# Seconds until all holds have ended and are expired.
DEADLINE = HOLD + 60.0

RESERVED = """
SELECT id, amount, currency FROM orders WHERE product_id = %s AND status = 'RESERVED' ORDER BY id
"""


@dataclass(frozen=True)
class Begun:
    """The sale while its holds run: all units are taken, and two thirds are paid.

    Attributes:
        first: how many of the first buyers were accepted.
        sold_out: how many of the second buyers were told "sold out".
        unpaid: orders that nobody pays in time.

    """

    product_id: str
    first: int
    sold_out: int
    unpaid: Sequence[Due]


@dataclass(frozen=True)
class HeldSale:
    """The result of the sale. All figures but the books are orders of one unit.

    Attributes:
        first: accepted of the first buyers.
        sold_out: of the second buyers, while the holds ran.
        back: holds that ended without a payment.
        third: accepted of the third buyers, who bought what was back.
        late, why: the decision on a payment after the end of a hold, and its reason.

    """

    first: int
    sold_out: int
    back: int
    third: int
    late: Decision
    why: str | None
    books: Books

    @property
    def findings(self) -> list[str]:
        """What is not as expected, one line each."""
        found = [
            f"V5 with a hold: {name} is {is_}, and should be {should}."
            for name, (is_, should) in self._compared.items()
            if is_ != should
        ]
        if not self.books.balanced:
            found.append(f"V5 with a hold broke its books: {self.books}")
        return found

    @property
    def _compared(self) -> Mapping[str, tuple[object, object]]:
        return {
            "accepted at first": (self.first, FIRST),
            "sold out while holds ran": (self.sold_out, SECOND),
            "back without a payment": (self.back, UNPAID),
            "bought after that": (self.third, UNPAID),
            "confirmed": (self.books.confirmed, UNITS),
            "held": (self.books.reserved, 0),
            "the reason of the late payment's refund": (self.why, RefundReason.LATE.value),
        }

    def figures(self) -> dict[str, Any]:
        """Return the results as a JSON object."""
        return {**asdict(self), "books": self.books.figures()}


async def begin(target: Target, services: Services, run: str) -> Begun:
    """Sell all units, let others find nothing left, and let two thirds of the buyers pay."""
    product_id = f"demo-{run}-v5-hold"
    await seed(services, BUYERS, [product_id], UNITS)
    await sales.open_sale(services, product_id, Terms(hold_seconds=HOLD))
    first = await _buy(target, product_id, BUYERS[:FIRST], AnswerKind.ACCEPTED)
    await await_orders(target, services, product_id, first)
    second = BUYERS[FIRST : FIRST + SECOND]
    sold_out = await _buy(target, product_id, second, AnswerKind.SOLD_OUT)
    orders = await _reserved(services, product_id)
    await pay(target, services, orders[UNPAID:])
    return Begun(product_id, first, sold_out, orders[:UNPAID])


async def end(target: Target, services: Services, begun: Begun) -> HeldSale:
    """Wait until the holds have ended, and sell their units again. One buyer pays too late."""
    product_id = begun.product_id
    back = (await _until_nothing_is_held(services, product_id)).expired
    late = begun.unpaid[0]
    third, _ = await asyncio.gather(
        _sell_again(target, services, begun), pay_late(target, services, late)
    )
    books = await _until_nothing_is_held(services, product_id)
    (payment,) = await services.payments.list_of_order(late.id)
    return HeldSale(begun.first, begun.sold_out, back, third, payment.decision, payment.why, books)


async def _sell_again(target: Target, services: Services, begun: Begun) -> int:
    """Sell the units that are back to buyers who pay; return how many of them were accepted."""
    third = await _buy(target, begun.product_id, BUYERS[FIRST + SECOND :], AnswerKind.ACCEPTED)
    await await_orders(target, services, begun.product_id, begun.first + third)
    await pay(target, services, await _reserved(services, begun.product_id))
    return third


async def _buy(target: Target, product_id: str, users: Sequence[str], kind: AnswerKind) -> int:
    """Let these users buy; return how many of them got this kind of answer."""
    edge = target.edges["asgi"]
    answers = await buy_all(edge, V5, product_id, users, CONNECTIONS, lambda _: None)
    return sum(answer.kind is kind for answer in answers)


async def _reserved(services: Services, product_id: str) -> list[Due]:
    async with services.database.transaction() as connection:
        cursor = await connection.execute(RESERVED, [product_id])
        return [Due(**row) for row in await cursor.fetchall()]


async def _until_nothing_is_held(services: Services, product_id: str) -> Books:
    """Wait until each hold is paid or has ended, and return the books.

    Raises:
        Problem: some are still held after `DEADLINE` seconds.

    """
    try:
        async with asyncio.timeout(DEADLINE):
            while True:
                (books,) = await read_books(services, [product_id])
                assert books.ledger
                if not books.reserved and not books.ledger.held and not books.unsettled:
                    return books
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise Problem(
            f"Units of {product_id} are still held after {DEADLINE:.0f} s.",
            "See `flashsale status`, and the log of the web workers in .local/logs/edge.log.",
        ) from None
