"""The command `flashsale demo`."""

import os
import time

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from flashsale.domain.model import Terms
from flashsale.services import Services
from flashsale.usecases import sales
from flashsale_local.cli.options import AsJson
from flashsale_local.console import console, errors, print_json, show_table, step
from flashsale_local.deployment.sign_in import auth_of, refuse_tokens
from flashsale_local.deployment.target import Target, with_services
from flashsale_local.paths import LOCAL
from flashsale_local.sale import demo as small_sales
from flashsale_local.sale import paying, roomed, unpaid
from flashsale_local.sale import seed as seeding
from flashsale_local.sale.answers import AnswerKind
from flashsale_local.sale.demo_tables import (
    held_table,
    reasons_of_hold,
    reasons_of_room,
    reasons_of_sales,
    reasons_of_troubles,
    roomed_table,
    sales_table,
    troubles_table,
)
from flashsale_local.sale.demonstration import Demonstration
from flashsale_local.sale.load import Answer
from flashsale_local.sale.roomed import RoomedSale
from flashsale_local.sale.seed import IDS, PRODUCTS, UNITS, USERS
from flashsale_local.sale.troubles import Troubles, can_be_made, make_troubles
from flashsale_local.sale.unpaid import HeldSale
from flashsale_local.sale.warm_up import warm_up, warm_up_payments
from flashsale_local.stack.asgi import start_asgi_edge
from flashsale_local.stack.containers import in_containers
from flashsale_local.stack.left_running import show_addresses
from flashsale_local.stack.stack import Stack
from flashsale_local.stack.start import start

# The product of events/order.json and rollback.json. It is not on sale, because orders in a sale
# need a claim.
BY_HAND = "by-hand-01"


def demo(as_json: AsJson = False) -> None:  # noqa: FBT002
    """Hold the same small sale through each generation, make trouble, print the books.

    Each sale has 100 units and 300 buyers, 16 at a time, over the deployed HTTP API. In one more
    sale of V5 buyers have to pay, a third does not, and their units are sold again. Another one is
    behind a waiting room. After that PostgreSQL is stopped for some seconds while buyers come, and
    a process is killed in the middle of a purchase of each generation. The exit status is 1 unless
    V1 oversells and the others do not, unpaid units return once, nobody passes the waiting room, V3
    loses units in the outage, V4 loses one by the kill, and V5 loses none. The stack stays up
    afterwards.

    Example: [bold]flashsale demo[/]
    """
    started = time.monotonic()
    refuse_tokens(auth_of(os.environ), "the demo")
    target = start_asgi_edge(start(asgi=True))
    run = f"{int(time.time()):x}"
    sold = with_services(target, lambda services: _hold_all(target, services, run))
    results = Demonstration(*sold, _make_troubles(target, run))
    if as_json:
        print_json(results.figures())
    else:
        _show(results)
    for finding in results.findings:
        errors.print(f"[red]✗[/] {finding}")
    if not as_json:
        console.print(f"Done in {time.monotonic() - started:.0f} s. The stack is still up:")
        show_addresses(target, _about_losses(results.troubles))
    if results.findings:
        raise typer.Exit(1)


def _show(results: Demonstration) -> None:
    show_table(sales_table(results.sales))
    for reason in reasons_of_sales(results.sales):
        console.print(reason)
    console.print()
    show_table(held_table(results.held))
    for reason in reasons_of_hold(results.held):
        console.print(reason)
    console.print()
    show_table(roomed_table(results.roomed))
    for reason in reasons_of_room(results.roomed):
        console.print(reason)
    if results.troubles is None:
        console.print(
            "PostgreSQL was not stopped and no process was killed, because the servers "
            + ("run in containers." if in_containers(LOCAL) else "are not the local stack's own.")
        )
        return
    console.print()
    show_table(troubles_table(results.troubles))
    for reason in reasons_of_troubles(results.troubles):
        console.print(reason)


def _about_losses(troubles: Troubles | None) -> list[str]:
    """Return what a visitor should know of the losses before they run `verify`."""
    if not troubles or not (gaps := troubles.gaps):
        return []
    return [
        "verify shows these losses, and exits with 1 because of V4's;",
        f"flashsale rebuild {' '.join(gaps)} returns that unit",
    ]


async def _fill_shop(services: Services) -> None:
    """Put the products of docs/api.md's examples on sale; a purchase fixes the generation."""
    users, products = seeding.user_ids(USERS), seeding.product_ids(PRODUCTS)
    await seeding.seed(services, users, [*products, BY_HAND], UNITS)
    for product in await services.products.list_all():
        if product.id in products:
            await sales.open_sale(services, product.id, Terms())
    seeding.write_ids(IDS, users, products)


def _make_troubles(target: Target, run: str) -> Troubles | None:
    stack = Stack(LOCAL)
    if not can_be_made(stack):
        return None
    with step("kill a process in the middle of a purchase, stop PostgreSQL, start it") as done:
        troubles = make_troubles(stack, target, run)
        done(
            "killed a process in the middle of a purchase, and stopped PostgreSQL for "
            f"{troubles.outage_seconds:.1f} s"
        )
    return troubles


async def _hold_all(
    target: Target, services: Services, run: str
) -> tuple[list[small_sales.Sale], HeldSale, RoomedSale]:
    held = []
    with step(f"seed {USERS} users and {PRODUCTS} products, and open their sale"):
        await _fill_shop(services)
    with step("warm up the functions"):
        await warm_up(target)
        await warm_up_payments(target, paying.AT_A_TIME)
    with step("sell with a payment hold, and let two thirds of the buyers pay"):
        begun = await unpaid.begin(target, services, run)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=errors) as progress:
        for generation, edge in small_sales.SHOPS:
            name = f"V{generation} {edge}"
            bar = progress.add_task(name, total=small_sales.ATTEMPTS, note="")

            def report(_: Answer, bar: object = bar) -> None:
                progress.advance(bar)  # type: ignore[arg-type]

            sale = await small_sales.hold(target, services, generation, edge, run, report)
            progress.update(bar, note=f"{sale.count(AnswerKind.ACCEPTED)} sold")
            held.append(sale)
    with step(f"let {roomed.PEOPLE} people through a waiting room"):
        behind_room = await roomed.hold(target, services, run)
    with step("let the holds of the others end, and sell their units again"):
        return held, await unpaid.end(target, services, begun), behind_room
