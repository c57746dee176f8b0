"""The command `flashsale logs`: lines of the functions, or the life of one order."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer

from flashsale.domain.model import OrderRow
from flashsale.errors import ServiceUnavailable
from flashsale.redis_store.ledger import claimed_at
from flashsale.services import Services
from flashsale_local.console import console, show
from flashsale_local.deployment.target import Target, with_services
from flashsale_local.logs.lines import Line, read_file, read_logs
from flashsale_local.logs.order_life import Life
from flashsale_local.paths import LOCAL
from flashsale_local.problems import Problem
from flashsale_server.log_events import log_group_of

FUNCTIONS = ("buy", "admin", "order", "rollback", "sweep", "migrate")
# The programs of the ASGI edge.
BESIDE = ("edge", "relay")
# Minutes to look back, for lines, and for an order whose id does not tell the time of its claim.
RECENT, A_DAY = 10, 24 * 60


def logs(
    function: Annotated[str, typer.Argument(help=f"One of {', '.join(FUNCTIONS)}.")] = "",
    minutes: Annotated[int | None, typer.Option(min=1, help="Minutes to look back.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many of the newest lines to show.")] = 100,
    raw: Annotated[bool, typer.Option(help="Include metrics and Lambda's own lines.")] = False,  # noqa: FBT002
    order: Annotated[
        str | None, typer.Option(help="Show the life of the order with this id.")
    ] = None,
) -> None:
    """Print the newest log lines of the functions, or with --order the life of one order.

    The oldest line comes first.

    Example: [bold]flashsale logs order --minutes 5[/]
    """
    if function and function not in FUNCTIONS:
        raise Problem(f"There is no function {function!r}.", f"Use one of {', '.join(FUNCTIONS)}.")
    if order == "":  # a script's variable is empty; that does not mean all orders
        raise Problem("--order names no order.", "Give an order id, or leave out --order.")
    target = Target.load(LOCAL)
    if order:
        _print_life(target, Life(order), minutes)
        return
    lines = [
        line
        for name in ([function] if function else FUNCTIONS)
        for line in read_logs(log_group_of(target.stack_name, name), minutes or RECENT)
        if raw or line.is_ours
    ]
    for line in sorted(lines)[-limit:]:
        console.print(f"[dim]{line.clock}[/] [cyan]{line.function:8}[/] ", end="")
        show(line.message if raw else line.pretty)


def _print_life(target: Target, life: Life, minutes: int | None) -> None:
    if not minutes:
        minutes = _minutes_since_claim(life) if life.on_ledger else A_DAY
    lines = list(_lines(target, life.needles, minutes))
    if life.learn_correlation_id(lines):
        lines += _lines(target, [life.correlation_id], minutes)
    events = life.events(lines)
    row, waits = with_services(target, lambda services: _state(services, life))
    if not row and not waits and all(event.where == "redis" for event in events):
        raise Problem(
            f"Nothing is known of order {life.order_id!r}.",
            "Check the id, or look further back by `--minutes`.",
        )
    for event in events:
        _print(event.clock, event.where, event.text)
    if all(event.where != "buy" for event in events):
        _print("–", "buy", f"no line in {minutes} minutes; the ASGI edge logs only failures")
    for name in _unread(target):
        _print("–", name, f"its log is not a file here: `docker compose logs {name}` has it")
    for message_id, cause in _parked(target, life):
        _print("now", "parking", f"message {message_id}: {cause}")
    _print("now", "postgres", _describe(row))
    if waits:
        _print("now", "redis", "unsettled: the claim is in the ledger")


def _print(when: str, where: str, text: str) -> None:
    console.print(f"[dim]{when:12}[/] [cyan]{where:8}[/] ", end="")
    show(text)


def _minutes_since_claim(life: Life) -> int:
    # One more minute, because the clocks of Redis and of the functions differ.
    return int((time.time() - claimed_at(life.entry_id)) / 60) + 2


def _lines(target: Target, needles: Sequence[str], minutes: int) -> Iterator[Line]:
    for needle in needles:
        for name in FUNCTIONS:
            yield from read_logs(log_group_of(target.stack_name, name), minutes, needle)
    if target.asgi_url:  # it runs on this machine, and its logs are files
        for name in BESIDE:
            yield from read_file(_file(name), name)


def _unread(target: Target) -> list[str]:
    """Return the programs whose logs are not files here, because they run in containers."""
    return [name for name in BESIDE if target.asgi_url and not _file(name).exists()]


def _file(name: str) -> Path:
    return LOCAL / "logs" / f"{name}.log"


async def _state(services: Services, life: Life) -> tuple[OrderRow | str | None, bool]:
    """Return the row, or why it cannot be read, and whether the claim is in the ledger."""
    row: OrderRow | str | None
    try:
        row = await services.orders.get(life.order_id)
    except ServiceUnavailable as error:
        row = str(error)
    try:
        return row, life.on_ledger and bool(
            await services.ledger.get(life.product_id, life.entry_id)
        )
    except ServiceUnavailable:
        return row, False


def _parked(target: Target, life: Life) -> list[tuple[str, str]]:
    messages = target.cloud.peek(target.queues["parking"], 1000)
    ids = [message.id for message in messages if life.is_in(message.body)]
    causes = with_services(target, lambda services: services.failures.causes(ids))
    return [(id_, causes.get(id_, "cause unknown")) for id_ in ids]


def _describe(row: OrderRow | str | None) -> str:
    match row:
        case None:
            return "no such order"
        case str():
            return row
    reason = f": {row.reason}" if row.reason else ""
    return f"{row.status}, written {row.created_at:%H:%M:%S}{reason}"
