"""An operator's actions on sales and orders, with the use cases and the audit of the admin API."""

import asyncio
import getpass
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from uuid import uuid4

from flashsale.domain.claims import SaleState, Snapshot
from flashsale.domain.model import ON_POSTGRES, USER_ID, Declined
from flashsale.domain.pauses import UnrecordedPause
from flashsale.domain.payments import Decision
from flashsale.errors import DatabaseUnavailable
from flashsale.postgres_store.audit import Action
from flashsale.services import Services
from flashsale.usecases import admin
from flashsale_local.console import number
from flashsale_local.problems import Problem

Act = Callable[[Services, Action], Awaitable[Declined | UnrecordedPause | None]]

KEY = r"^[!-+\--~]{1,128}$"  # what the admin API allows: printable, no blank and no comma
TEXT = r"^[^\x00-\x1f\x7f]{1,200}$"

_WHY_NOT = {
    Declined.NO_SUCH_PRODUCT: "there is no such product",
    Declined.NO_SALE: "it is not on sale",
    Declined.SALE_ENDED: "the sale has ended for good",
    Declined.NEEDS_REBUILD: "Redis has lost its units; see `flashsale rebuild`",
    Declined.TOO_MANY_UNITS: "a product cannot have so many units",
    Declined.NO_SUCH_ORDER: "there is no such order, or it is a V4 order that is still queued",
    Declined.NO_SUCH_PAYMENT: "there is no such payment",
    Declined.NOT_REFUND_DUE: "the payment is not to be refunded",
    Declined.KEY_REUSED: "this key came with another action before",
}


@dataclass(frozen=True, slots=True)
class Operator:
    """The person at the terminal. No token says who it is, so the audit shows "cli " before it."""

    name: str

    @classmethod
    def of(cls, given: str | None) -> "Operator":
        """Return the operator of this name, by default of the user name of this login."""
        try:
            name = given or getpass.getuser()
        except (KeyError, OSError) as error:
            raise Problem("This user has no name.", "Say who acts: `--as NAME`.") from error
        if not re.fullmatch(USER_ID, name):
            raise Problem(f"{name!r} is no name for the audit.", "Use `--as NAME`, without blanks.")
        return cls(name)

    @property
    def who(self) -> str:
        """The operator as the audit shows them. No token has such a subject: it has a blank."""
        return f"cli {self.name}"

    def action(self, name: str, target: str, arguments: Mapping[str, object], key: str) -> Action:
        """Return an action with a new correlation id."""
        return Action(self.who, name, target, arguments, str(uuid4()), key)


@dataclass(frozen=True, slots=True)
class Acted:
    """The outcomes of several actions, and the first error of those that have no outcome."""

    outcomes: "list[Outcome]"
    error: Exception | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an action on one product or order."""

    target: str
    line: str
    done: bool = True
    unrecorded: bool = False
    changed: bool = False


def new_key() -> str:
    """Return a key that no other action has."""
    return f"cli-{uuid4().hex[:16]}"


async def open_sales(services: Services) -> list[str]:
    """Return the products whose sales are open. It asks Redis only."""
    ids = await services.stock.list_sales()
    found = [await services.ledger.snapshot(id_, count_claims=False) for id_ in ids]
    return [id_ for id_, one in zip(ids, found, strict=True) if one and one.state is SaleState.OPEN]


async def act_on_sales(
    services: Services, actions: Sequence[Action], act: Act, *, supply: bool = False
) -> Acted:
    """Carry out one action for each product, concurrently.

    Args:
        supply: show how the supply in PostgreSQL changed.

    """

    async def one(action: Action) -> Outcome:
        id_ = action.target
        units = await _supply(services, id_) if supply else 0
        before = await services.ledger.snapshot(id_, count_claims=False)
        result = await act(services, action)
        if isinstance(result, Declined):
            return Outcome(id_, f"nothing was done: {_WHY_NOT.get(result, result)}", done=False)
        after = await services.ledger.snapshot(id_, count_claims=False)
        line = f"{_state(before)} → {_state(after)}{_units(after)}"
        if supply:
            now = await _supply(services, id_)
            line += f"; supply {number(units)} → {number(now)}"
        late = isinstance(result, UnrecordedPause)
        return Outcome(id_, line, unrecorded=late, changed=_state(before) != _state(after))

    return await _all(services, actions, one)


async def cancel_orders(services: Services, actions: Sequence[Action], reason: str) -> Acted:
    """Cancel orders, and put their units on sale again."""

    async def one(action: Action) -> Outcome:
        before = await services.orders.get(action.target)
        declined = await admin.cancel_order(services, action, reason)
        after = await services.orders.get(action.target)
        if declined or after is None:
            why = _WHY_NOT[declined or Declined.NO_SUCH_ORDER]
            return Outcome(action.target, f"nothing was done: {why}", done=False)
        was = before.status if before else "PENDING"
        line = f"{was} → {after.status}, {number(after.quantity)} of {after.product_id}"
        return Outcome(action.target, line)

    return await _all(services, actions, one)


async def record_refunds(services: Services, actions: Sequence[Action]) -> Acted:
    """Record that payments were refunded."""

    async def one(action: Action) -> Outcome:
        declined = await admin.record_refund(services, action)
        if declined:
            return Outcome(action.target, f"nothing was done: {_WHY_NOT[declined]}", done=False)
        return Outcome(action.target, Decision.REFUNDED)

    return await _all(services, actions, one)


async def _all(
    services: Services, actions: Sequence[Action], one: Callable[[Action], Awaitable[Outcome]]
) -> Acted:
    # An action that waits for a connection would lose its second for the record.
    connections = asyncio.Semaphore(services.settings.database_pool_size)

    async def in_turn(action: Action) -> Outcome:
        async with connections:
            return await one(action)

    results = await asyncio.gather(*map(in_turn, actions), return_exceptions=True)
    outcomes = [result for result in results if isinstance(result, Outcome)]
    for action, error in zip(actions, results, strict=True):
        if isinstance(error, DatabaseUnavailable):
            return Acted(outcomes, _without_audit(error, action.name))
        if isinstance(error, Exception):
            return Acted(outcomes, error)
    return Acted(outcomes)


def _without_audit(error: DatabaseUnavailable, action: str) -> Problem:
    return Problem(
        f"{error}. `{action}` needs PostgreSQL, which records it before it takes effect.",
        "Repeat the command when PostgreSQL is back, with the same --key if it has one. "
        "`flashsale pause` works without PostgreSQL.",
    )


async def _supply(services: Services, product_id: str) -> int:
    supply = await services.products.get_supply(product_id)
    return supply.initial if supply else 0


def _state(snapshot: Snapshot | None) -> str:
    return snapshot.state if snapshot else "not on sale"


def _units(snapshot: Snapshot | None) -> str:
    if snapshot is None:
        return ""
    if snapshot.generation in ON_POSTGRES:
        return f", sold by V{snapshot.generation} from PostgreSQL"
    way = f", {number(snapshot.unsettled)} on their way" if snapshot.unsettled else ""
    return f", {number(snapshot.stock)} units left{way}"
