"""What `flashsale logs --order` prints: the life of one order."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from flashsale.domain.claims import claimed_at
from flashsale.domain.model import OrderRow, OrderStatus
from flashsale.domain.waiting import PARKING
from flashsale.errors import ServiceUnavailable
from flashsale.services import Services
from flashsale_local.console import console, print_json, show
from flashsale_local.deployment.target import Target, with_services
from flashsale_local.logs.lines import Line, minutes_ago, read_file, read_logs
from flashsale_local.logs.order_life import Life
from flashsale_local.paths import LOCAL
from flashsale_local.problems import Problem
from flashsale_local.queues.failed import PAYMENTS_DLQ
from flashsale_local.stack.containers import in_containers
from flashsale_server.log_events import log_group_of

FUNCTIONS = ("buy", "admin", "order", "rollback", "webhook", "payment", "sweep", "migrate")
# The queues whose messages wait for the operator.
WAITING = (PARKING, PAYMENTS_DLQ)
# The programs of the ASGI edge.
BESIDE = ("edge", "relay")
# Minutes to look back for an order whose id does not tell the time of its claim.
A_DAY = 24 * 60


@dataclass(frozen=True)
class Shown:
    """A line of the output; `at` is in seconds since 1970, and None means now or unknown."""

    at: float | None
    when: str
    where: str
    text: str


def print_life(target: Target, life: Life, minutes: int | None, *, as_json: bool) -> None:
    """Print what happened to an order, oldest first, and where it is now.

    Raises:
        Problem: nothing is known of it.

    """
    for one in _shown(target, life, minutes):
        if as_json:
            at = datetime.fromtimestamp(one.at, UTC) if one.at else None
            stamp = at.isoformat(timespec="milliseconds") if at else None
            print_json({"timestamp": stamp, "where": one.where, "message": one.text})
        else:
            console.print(f"[dim]{one.when:12}[/] [cyan]{one.where:8}[/] ", end="")
            show(one.text)


def _shown(target: Target, life: Life, minutes: int | None) -> Iterator[Shown]:
    if not minutes:
        minutes = _minutes_since_claim(life) if life.on_ledger else A_DAY
    lines = list(_lines(target, life.needles, minutes))
    if life.learn_correlation_id(lines):
        lines += _lines(target, [life.correlation_id], minutes)
    row, waits = with_services(target, lambda services: _state(services, life))
    events = life.events(lines)
    if not row and not waits and all(event.where == "redis" for event in events):
        raise Problem(
            f"Nothing is known of order {life.order_id!r}.",
            "Check the id, or look further back by `--minutes`.",
        )
    for event in events:
        yield Shown(event.at, event.clock, event.where, event.text)
    if all(event.where != "buy" for event in events):
        text = f"no line in {minutes} minutes; the ASGI edge logs only failures"
        yield Shown(None, "–", "buy", text)
    for name in _unread(target):
        text = f"it runs in a container: `flashsale logs {name}` has its lines"
        yield Shown(None, "–", name, text)
    for queue in WAITING:
        for message_id, cause in _parked(target, queue, life):
            yield Shown(None, "now", queue, f"message {message_id}: {cause}")
    yield Shown(None, "now", "postgres", _describe(row))
    if waits:
        yield Shown(None, "now", "redis", "unsettled: the claim is in the ledger")


def _minutes_since_claim(life: Life) -> int:
    # One more minute, because the clocks of Redis and of the functions differ.
    return int((time.time() - claimed_at(life.entry_id)) / 60) + 2


def _lines(target: Target, needles: Sequence[str], minutes: int) -> Iterator[Line]:
    for needle in needles:
        for name in FUNCTIONS:
            group = log_group_of(target.stack_name, name)
            yield from read_logs(group, minutes_ago(minutes), needle)
    if target.asgi_url and not in_containers(LOCAL):  # its logs are files of this machine
        for name in BESIDE:
            yield from read_file(LOCAL / "logs" / f"{name}.log", name)


def _unread(target: Target) -> Sequence[str]:
    """Return the programs whose logs are not files here, because they run in containers."""
    return BESIDE if target.asgi_url and in_containers(LOCAL) else ()


async def _state(services: Services, life: Life) -> tuple[OrderRow | str | None, bool]:
    """Return the row, or why it cannot be read, and whether the claim is in the ledger.

    The life gets the payments of the order.
    """
    row: OrderRow | str | None
    try:
        life.payments = await services.payments.list_of_order(life.order_id)
        row = await services.orders.get(life.order_id)
    except ServiceUnavailable as error:
        row = str(error)
    try:
        return row, life.on_ledger and bool(
            await services.ledger.get(life.product_id, life.entry_id)
        )
    except ServiceUnavailable:
        return row, False


def _parked(target: Target, queue: str, life: Life) -> list[tuple[str, str]]:
    messages = target.cloud.peek(target.queues[queue], 1000)
    ids = [message.id for message in messages if life.is_in(message.body)]
    causes = with_services(target, lambda services: services.failures.causes(ids))
    return [(id_, causes.get(id_, "cause unknown")) for id_ in ids]


def _describe(row: OrderRow | str | None) -> str:
    match row:
        case None:
            return "no such order"
        case str():
            return row
    said = f"{row.status}, written {row.created_at:%H:%M:%S}"
    if row.expires_at and row.status in (OrderStatus.RESERVED, OrderStatus.EXPIRED):
        said += f", {row.amount} {row.currency} to be paid by {row.expires_at:%H:%M:%S}"
    return f"{said}: {row.reason}" if row.reason else said
