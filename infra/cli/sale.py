"""Commands of a sale: fill the shop, open the sale, check the books, the demonstration."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.table import Table

from flashsale.books import Books, read_books
from flashsale.bootstrap import Services
from flashsale.model import Terms
from infra import seed as seeding
from infra.cli.console import alarming, console, units, with_services
from infra.paths import LOCAL
from infra.problems import Problem
from infra.queues import depths, drain
from infra.target import Target

IDS = LOCAL / "ids.json"
USERS, PRODUCTS, UNITS = 3000, 10, 100


def seed(
    users: Annotated[int, typer.Option(min=1, help="Users: u-00001, u-00002, …")] = USERS,
    products: Annotated[int, typer.Option(min=1, help="Products: p-01, p-02, …")] = PRODUCTS,
    stock: Annotated[int, typer.Option(min=0, help="Units of each new product.")] = UNITS,
    prefix: Annotated[str, typer.Option(help="Product ids start with this.")] = "p-",
) -> None:
    """Insert users and products. What exists already keeps its stock.

    Writes the ids to .local/ids.json for load scripts.

    Example: [bold]flashsale seed --products 3 --stock 5000 --prefix evening-[/]
    """
    target = Target.load(LOCAL)
    buyers, goods = seeding.user_ids(users), seeding.product_ids(products, prefix)
    new = with_services(target, lambda services: seeding.seed(services, buyers, goods, stock))
    seeding.write_ids(IDS, buyers, goods)
    console.print(f"{users} users ({new[0]} new): {buyers[0]} … {buyers[-1]}")
    console.print(f"{products} products ({new[1]} new, {stock} units each): {' '.join(goods)}")
    console.print(f"Ids for load scripts: {IDS}")


def open_(
    products: Annotated[list[str] | None, typer.Argument(help="Product ids; all if none.")] = None,
    starts: Annotated[datetime | None, typer.Option(help="V5 sells from then on (UTC).")] = None,
    ends: Annotated[datetime | None, typer.Option(help="V5 sells until then (UTC).")] = None,
    limit: Annotated[int, typer.Option(min=0, help="V5: most units a buyer; 0 for any.")] = 0,
) -> None:
    """Put products on sale: load their stock into Redis, once. A running sale is left alone.

    Example: [bold]flashsale open p-01 p-02 --starts 2026-11-27T08:00:00 --limit 2[/]
    """
    target = Target.load(LOCAL)
    terms = Terms(
        starts_at=starts and starts.replace(tzinfo=UTC),
        ends_at=ends and ends.replace(tzinfo=UTC),
        limit_per_buyer=limit,
    )

    async def open_sales(services: Services) -> list[tuple[Books, bool]]:
        rows = await read_books(services, products)
        if missing := set(products or []) - {row.product_id for row in rows}:
            raise Problem(f"No such product: {', '.join(sorted(missing))}", "See `flashsale seed`.")
        return [
            (row, await services.stock.open_sale(row.product_id, row.postgres_stock, terms))
            for row in rows
        ]

    for row, opened in with_services(target, open_sales):
        state = (
            f"on sale with {row.postgres_stock} units"
            if opened
            else f"is on sale already, {row.redis_stock} units left"
        )
        console.print(f"{row.product_id}: {state}")


def verify(
    products: Annotated[list[str] | None, typer.Argument(help="Product ids; all if none.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,  # noqa: FBT002
    wait: Annotated[float, typer.Option(help="Seconds to wait for empty queues first.")] = 0.0,
) -> None:
    """Check the books: where is every unit? Exit status 1 if V2, V4 or V5 broke the invariant.

    While messages wait in the queues, units of V4 that are on their way count as unsettled.

    Example: [bold]flashsale verify --wait 30 --json[/]
    """
    target = Target.load(LOCAL)
    if wait:
        drain(target.queues, wait)
    # The queues first: a message that is written in between is then counted twice, not lost.
    waiting = {name: d.total for name, d in depths(target.queues).items()}
    total = sum(waiting.values())
    rows = with_services(target, lambda services: read_books(services, products, total))
    if as_json:
        print(json.dumps({"waiting": waiting, "products": [_as_json(row) for row in rows]}))  # noqa: T201
    else:
        console.print(_books_table(rows))
        console.print("books: units that are nowhere (+) or in two places at once (-)")
        console.print("Messages waiting: " + ", ".join(f"{n} {c}" for n, c in waiting.items()))
    if any(row.broken for row in rows):
        raise typer.Exit(1)


def _as_json(row: Books) -> dict[str, object]:
    derived = ("unsettled", "oversold", "lost", "imbalance", "balanced", "broken")
    return {**asdict(row), **{name: getattr(row, name) for name in derived}}


def _books_table(rows: list[Books]) -> Table:
    made = Table(title="The books, in units", title_justify="left", box=None, padding=(0, 1, 0, 0))
    made.add_column("product", no_wrap=True)
    made.add_column("by")
    for name in ("ini-\ntial", "stock\nRedis", "stock\nPG", "on the\nway", "con-\nfirmd"):
        made.add_column(name, justify="right")
    for name in ("can-\ncelled", "over-\nsold", "lost", "books"):
        made.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        made.add_row(
            row.product_id,
            " ".join(f"V{number}" for number in row.generations) or "–",
            str(row.initial),
            units(row.redis_stock),
            str(row.postgres_stock),
            str(row.unsettled),
            str(row.confirmed),
            str(row.cancelled),
            alarming(row.oversold),
            alarming(row.lost),
            "[green]ok[/]" if row.balanced else f"[red]{row.imbalance:+}[/]",
        )
    return made
