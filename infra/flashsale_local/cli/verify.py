"""The command `flashsale verify`."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer

from flashsale.domain.pauses import UnrecordedPause
from flashsale.domain.waiting import PARKING
from flashsale.services import Services
from flashsale.usecases.books import Books, read_books
from flashsale.usecases.pauses import list_unrecorded
from flashsale_local.cli.options import AsJson
from flashsale_local.console import console, print_json, show, show_table
from flashsale_local.deployment.target import Target, with_services
from flashsale_local.paths import LOCAL
from flashsale_local.problems import Problem
from flashsale_local.queues.contents import look_into_queues
from flashsale_local.queues.drain import FOR_OPERATOR, drain
from flashsale_local.queues.parked import Parked, read_parked
from flashsale_local.sale.audit import described
from flashsale_local.sale.books_table import books_table
from flashsale_local.sale.undecided import Undecided, undecided
from flashsale_server.queues.inspection import InQueues

# Exit statuses. Parked units have their own, because they are neither lost nor on their way.
BROKEN, USAGE, UNITS_PARKED = 1, 2, 3
# How many messages of a queue are read, and how many parked ones are shown.
READ, SHOWN = 10_000, 20


def verify(
    products: Annotated[
        list[str] | None, typer.Argument(help="Product ids. By default all.")
    ] = None,
    as_json: AsJson = False,  # noqa: FBT002
    wait: Annotated[
        float, typer.Option(help="Seconds to wait until no order is on its way.")
    ] = 0.0,
) -> None:
    """Check the books: is every unit accounted for?

    The exit status is 0 if every unit is accounted for, 1 if V2, V4 or V5 broke the invariant, and
    2 if the product does not exist or there are no products. It is 3 if nothing is broken, but
    parked units wait for an operator.

    A message of V4 that cannot be read may hold missing units. While such messages wait, "on the
    way" is a maximum (≤).

    Example: [bold]flashsale verify --wait 30 --json[/]
    """
    target = Target.load(LOCAL)
    if wait:  # parked messages stay, however long it waits
        on_their_way = target.queues.keys() - FOR_OPERATOR
        drain({name: target.queues[name] for name in on_their_way}, wait)
    queues = look_into_queues(target, most=READ, receive=True)
    rows, parked, unrecorded, payments = with_services(
        target, lambda services: _read(services, products, queues)
    )
    if as_json:
        waiting = {name: depth.total for name, depth in queues.depths.items()}
        document = {
            "waiting": waiting,
            "products": [row.figures() for row in rows],
            "parked": [one.figures() for one in parked],
            "unrecorded": [described(pause) for pause in unrecorded],
            "payments": asdict(payments),
        }
        print_json(document)
    else:
        _show(rows, parked, queues)
        for pause in unrecorded:
            show(f"Not in the audit yet: {pause.product_id} was paused by {pause.who}")
        if payments.line:
            show(payments.line)
    if any(row.broken for row in rows):
        raise typer.Exit(BROKEN)
    if any(row.parked for row in rows):
        raise typer.Exit(UNITS_PARKED)


async def _read(
    services: Services, products: Sequence[str] | None, queues: InQueues
) -> tuple[list[Books], list[Parked], list[UnrecordedPause], Undecided]:
    rows = await read_books(services, products or None, queues.waiting)
    if missing := sorted(set(products or ()) - {row.product_id for row in rows}):
        known = "`flashsale verify` shows all products; `flashsale seed` creates some."
        raise Problem(f"No such product: {', '.join(missing)}", known, status=USAGE)
    if not rows:
        way_out = "Create products by `flashsale seed`, and put them on sale by `flashsale open`."
        raise Problem("There are no products, so there are no books.", way_out, status=USAGE)
    parked = await read_parked(services, [m for m in queues.read if m.queue == PARKING])
    mine = [one for one in parked if not products or not one.orders or _is_of(one, products)]
    unrecorded = await list_unrecorded(services, [row.product_id for row in rows])
    return rows, mine, unrecorded, await undecided(services, products or ())


def _is_of(parked: Parked, products: Sequence[str]) -> bool:
    return not parked.units.keys().isdisjoint(products)


def _show(rows: list[Books], parked: Sequence[Parked], queues: InQueues) -> None:
    show_table(books_table(rows))
    console.print("books: units that are nowhere (+) or in two places at once (-)")
    if any(not row.exact for row in rows):
        console.print("≤: at most; messages that cannot be read may be orders of V4")
    depths = queues.depths.items()
    console.print("Messages waiting: " + ", ".join(f"{name} {d.total}" for name, d in depths))
    if parked:
        console.print("[bold yellow]Parked[/], until an operator handles it:")
    for one in parked[:SHOWN]:
        show(f"  {one.message.id}  {one.what}")
        show(f"    cause  {one.message.cause or 'unknown; see `flashsale logs rollback`'}")
        show(f"    end    {one.way_out}")
    if more := len(parked[SHOWN:]):
        console.print(f"  and {more} more; `flashsale verify --json` has all of them")
    read = sum(message.queue == PARKING for message in queues.read)
    if unread := max(0, queues.depths[PARKING].total - read):
        console.print(f"{unread} parked messages were not read; see `flashsale dlq peek parking`.")
