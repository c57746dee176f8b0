"""The command `flashsale demo`."""

import os
import time
from collections.abc import Callable

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from flashsale.domain.model import Terms
from flashsale.services import Services
from flashsale.usecases import sales
from flashsale_local.cli.monitor import monitor_port
from flashsale_local.console import alarming, console, errors, number, step, table, units
from flashsale_local.deployment.deploy import LOCAL_BUY_CONCURRENCY
from flashsale_local.deployment.sign_in import auth_of, refuse_tokens
from flashsale_local.deployment.target import Target, with_services
from flashsale_local.sale import demo as demonstration
from flashsale_local.sale import seed as seeding
from flashsale_local.sale.answers import AnswerKind
from flashsale_local.sale.load import Answer
from flashsale_local.sale.seed import IDS, PRODUCTS, UNITS, USERS
from flashsale_local.sale.warm_up import warm_up
from flashsale_local.stack.asgi import start_asgi_edge
from flashsale_local.stack.program import HOST
from flashsale_local.stack.start import start

# The product of events/order.json and rollback.json. It is not on sale, because orders in a sale
# need a claim.
BY_HAND = "by-hand"


def demo() -> None:
    """Hold the same small sale through each generation, and print the books of all.

    Each sale has 100 units and 600 buyers, 16 at a time, over the deployed HTTP API. The exit
    status is 1 unless V1 oversells and V2, V4 and V5 do not. The stack stays up afterwards.

    Example: [bold]flashsale demo[/]
    """
    started = time.monotonic()
    refuse_tokens(auth_of(os.environ), "the demo")
    target = start_asgi_edge(start())
    run = f"{int(time.time()):x}"
    held = with_services(target, lambda services: _hold_all(target, services, run))
    console.print(_sales_table(held))
    throttled = sum(answer.throttled for sale in held for answer in sale.answers)
    console.print(
        f"{throttled} attempts found all {LOCAL_BUY_CONCURRENCY} execution environments busy (429) "
        "and retried. Their latency includes that."
    )
    console.print(
        f"V1 reads the stock, checks it and writes it back. Between the read and the write others "
        f"bought the same unit, so it sold {held[0].books.confirmed} of {held[0].books.initial}."
    )
    found = demonstration.findings(held)
    for finding in found:
        errors.print(f"[red]✗[/] {finding}")
    console.print(f"Done in {time.monotonic() - started:.0f} s. The stack is still up:")
    console.print(f"  API       {target.edges['lambda'].curl}  (Lambda)", soft_wrap=True)
    console.print(f"            {target.edges['asgi'].curl}  (ASGI, with /metrics)", soft_wrap=True)
    console.print("            with /health, /docs and /api/products")
    console.print("  look      flashsale status | verify | logs | dlq ls   (in .venv/bin)")
    console.print(f"  watch     flashsale monitor   (http://{HOST}:{monitor_port()})")
    console.print("  stop      make down")
    if found:
        raise typer.Exit(1)


async def _fill_shop(services: Services) -> None:
    """Put the products of docs/api.md's examples on sale; a purchase fixes the generation."""
    users, products = seeding.user_ids(USERS), seeding.product_ids(PRODUCTS)
    await seeding.seed(services, users, [*products, BY_HAND], UNITS)
    for product in await services.products.list_all():
        if product.id in products:
            await sales.open_sale(services, product.id, Terms())
    seeding.write_ids(IDS, users, products)


async def _hold_all(target: Target, services: Services, run: str) -> list[demonstration.Sale]:
    held = []
    with step(f"seed {USERS} users and {PRODUCTS} products, and open their sale"):
        await _fill_shop(services)
    with step("warm up the functions"):
        await warm_up(target)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=errors) as progress:
        for generation, edge in demonstration.SHOPS:
            name = f"V{generation} {edge}"
            bar = progress.add_task(name, total=demonstration.ATTEMPTS, note="")

            def report(_: Answer, bar: object = bar) -> None:
                progress.advance(bar)  # type: ignore[arg-type]

            sale = await demonstration.hold(target, services, generation, edge, run, report)
            progress.update(bar, note=f"{sale.count(AnswerKind.ACCEPTED)} sold")
            held.append(sale)
    return held


def _sales_table(held: list[demonstration.Sale]) -> Table:
    made = table(
        f"{demonstration.UNITS} units, {demonstration.ATTEMPTS} buyers, "
        f"{demonstration.CONNECTIONS} at a time",
        "",
        *(sale.name for sale in held),
    )

    def row(name: str, figure: Callable[[demonstration.Sale], str]) -> None:
        made.add_row(name, *(figure(sale) for sale in held))

    row("accepted", lambda sale: number(sale.count(AnswerKind.ACCEPTED)))
    row("sold out", lambda sale: number(sale.count(AnswerKind.SOLD_OUT)))
    row("errors", lambda sale: alarming(len(sale.errors)))
    row("confirmed orders", lambda sale: number(sale.books.confirmed))
    row("stock left in Redis", lambda sale: units(sale.books.redis_stock))
    row("stock left in PostgreSQL", lambda sale: number(sale.books.postgres_stock))
    row("oversold", lambda sale: alarming(sale.books.oversold))
    row("lost", lambda sale: alarming(sale.books.lost))
    row("latency p50, ms", lambda sale: f"{sale.latency_ms(50):,.0f}")
    row("latency p95, ms", lambda sale: f"{sale.latency_ms(95):,.0f}")
    row(
        "accepted per second",
        lambda sale: f"{sale.count(AnswerKind.ACCEPTED) / sale.selling:,.0f}",
    )
    row("last order confirmed after, s", lambda sale: f"{sale.settling:.1f}")
    return made
