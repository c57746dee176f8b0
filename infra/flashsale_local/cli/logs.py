"""The command that shows log lines: of the functions, or the whole life of one order."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer

from flashsale.domain.model import OrderRow
from flashsale.errors import ServiceUnavailable
from flashsale.redis_store.ledger import claimed_at
from flashsale.services import Services
from flashsale_local.console import console, show, with_services
from flashsale_local.deployment.target import Target
from flashsale_local.logs.lines import Line, read_file, read_logs
from flashsale_local.logs.order_life import Life
from flashsale_local.paths import LOCAL
from flashsale_local.problems import Problem

FUNCTIONS = ("buy", "admin", "order", "rollback", "sweep", "migrate")
# What serves the ASGI edge.
BESIDE = ("edge", "relay")
# Minutes: how far back, for lines and for an order whose id does not say when it was claimed.
RECENT, A_DAY = 10, 24 * 60


def logs(
    function: Annotated[str, typer.Argument(help=f"One of {', '.join(FUNCTIONS)}.")] = "",
    minutes: Annotated[int | None, typer.Option(min=1, help="How far back.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Newest lines to show.")] = 100,
    raw: Annotated[bool, typer.Option(help="Also metrics and Lambda's own lines.")] = False,  # noqa: FBT002
    order: Annotated[str | None, typer.Option(help="An order id: all that became of it.")] = None,
) -> None:
    """Print the functions' newest log lines, oldest first; with --order the life of one order.

    Example: [bold]flashsale logs order --minutes 5[/]
    """
    if function and function not in FUNCTIONS:
        raise Problem(f"There is no function {function!r}.", f"Use one of {', '.join(FUNCTIONS)}.")
    if order == "":  # a script's variable that is empty: not all orders are meant
        raise Problem("--order names no order.", "Give an order id, or leave --order out.")
    target = Target.load(LOCAL)
    if order:
        _print_life(target, Life(order), minutes)
        return
    lines = [
        line
        for name in ([function] if function else FUNCTIONS)
        for line in read_logs(_group(target, name), minutes or RECENT)
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
            "Check the id; `--minutes` looks further back.",
        )
    for event in events:
        _print(event.clock, event.where, event.text)
    if all(event.where != "buy" for event in events):
        _print("–", "buy", f"no line in {minutes} minutes; the ASGI edge logs only what failed")
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
    # A minute more, because the clocks of Redis and of the functions differ.
    return int((time.time() - claimed_at(life.entry_id)) / 60) + 2


def _lines(target: Target, needles: Sequence[str], minutes: int) -> Iterator[Line]:
    for needle in needles:
        for name in FUNCTIONS:
            yield from read_logs(_group(target, name), minutes, needle)
    if target.asgi_url:  # it runs beside us: its logs are files
        for name in BESIDE:
            yield from read_file(_file(name), name)


def _unread(target: Target) -> list[str]:
    """What runs beside the functions, but in containers: who reads a life must know what lacks."""
    return [name for name in BESIDE if target.asgi_url and not _file(name).exists()]


def _file(name: str) -> Path:
    return LOCAL / "logs" / f"{name}.log"


async def _state(services: Services, life: Life) -> tuple[OrderRow | str | None, bool]:
    """The row, or why it cannot be read; and whether the claim is in the ledger."""
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


def _group(target: Target, function: str) -> str:
    return f"/aws/lambda/{target.stack_name}-{function}"
