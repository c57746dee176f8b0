"""Commands that create users and products, open a sale, and rebuild it."""

from typing import Annotated

import typer

from flashsale.domain.claims import SaleState
from flashsale.domain.model import Declined, Terms
from flashsale.services import Services
from flashsale.usecases import rebuild as rebuilding
from flashsale.usecases import sales
from flashsale.usecases.rooms import read_room
from flashsale_local.cli.terms import (
    Admission,
    End,
    Generation,
    Hold,
    Inside,
    Limit,
    Rate,
    RoomFrom,
    RoomMode,
    Start,
    room_of,
    terms_of,
)
from flashsale_local.console import console, errors, number, show, step
from flashsale_local.deployment.target import Target, with_services
from flashsale_local.paths import LOCAL
from flashsale_local.problems import Problem
from flashsale_local.sale import seed as seeding
from flashsale_local.sale.seed import IDS, PRODUCTS, UNITS, USERS
from flashsale_server.queues.depths import depths, total

Yes = Annotated[bool, typer.Option("--yes", help="Do not ask, for scripts.")]


def seed(
    users: Annotated[int, typer.Option(min=1, help="Users: u-00001, u-00002, …")] = USERS,
    products: Annotated[int, typer.Option(min=1, help="Products: p-01, p-02, …")] = PRODUCTS,
    stock: Annotated[int, typer.Option(min=0, help="Units of each new product.")] = UNITS,
    prefix: Annotated[str, typer.Option(help="The prefix of product ids.")] = "p-",
) -> None:
    """Insert users and products. Products that exist already keep their stock.

    The ids are written to .local/ids.json for load scripts.

    Example: [bold]flashsale seed --products 3 --stock 5000 --prefix evening-[/]
    """
    target = Target.load(LOCAL)
    buyers, goods = seeding.user_ids(users), seeding.product_ids(products, prefix)
    new = with_services(target, lambda services: seeding.seed(services, buyers, goods, stock))
    seeding.write_ids(IDS, buyers, goods)
    console.print(f"{users} users ({new[0]} new): {buyers[0]} … {buyers[-1]}")
    console.print(f"{products} products ({new[1]} new, {stock} units each): {' '.join(goods)}")
    console.print(f"Ids for load scripts: {IDS}", soft_wrap=True)


def open_(
    products: Annotated[
        list[str] | None, typer.Argument(help="Product ids. By default all.")
    ] = None,
    starts: Start = None,
    ends: End = None,
    limit: Limit = 0,
    generation: Generation = None,
    hold: Hold = 0,
    room: RoomMode = None,
    room_from: RoomFrom = None,
    inside: Inside = None,
    rate: Rate = None,
    admission: Admission = None,
    yes: Yes = False,  # noqa: FBT002
) -> None:
    """Put products on sale. Their stock is loaded into Redis once.

    Without product ids the command names all products and asks first.
    A sale that is running or paused stays as it is. One generation sells a product, for good. With
    --hold an order is RESERVED until its buyer pays, and EXPIRED if they do not pay in time. With
    --room buyers join a waiting room, and can buy when they are called: see `flashsale room`.

    Example: [bold]flashsale open p-01 p-02 --generation 5 --starts 2026-11-27T08:00:00 --limit 2[/]
    """
    target = Target.load(LOCAL)
    waiting_room = room_of(room, room_from, inside, rate, admission)
    terms = terms_of(starts, ends, limit, generation, hold, waiting_room)

    async def find(services: Services) -> list[str]:
        await _refuse_unknown(services, products or [])
        ids = products or [product.id for product in await services.products.list_all()]
        if not ids:
            raise Problem("There are no products to put on sale.", "Run `flashsale seed` first.")
        return ids

    ids = with_services(target, find)
    if not products:
        _ask("Put on sale", ids, yes=yes)

    async def open_sales(services: Services) -> list[tuple[str, str]]:
        return [(id_, await _open(services, id_, terms)) for id_ in ids]

    for product_id, state in with_services(target, open_sales):
        console.print(f"{product_id}: {state}")


_NOT_OPENED = {
    Declined.SALE_RUNNING: "is on sale already, on other terms; nothing was changed",
    Declined.OTHER_GENERATION: "has orders of another generation, which keeps selling it",
    Declined.SALE_PAUSED: "is paused; resume it by `flashsale resume`",
    Declined.NO_ROOM_SECRET: "was not put on sale, as a waiting room needs a ROOM_SECRET",
    Declined.NEEDS_REBUILD: "has orders that may still be on their way; see `flashsale rebuild`",
}


async def _open(services: Services, product_id: str, terms: Terms) -> str:
    before = await services.ledger.snapshot(product_id, count_claims=True)
    declined = await sales.open_sale(services, product_id, terms)
    if declined in _NOT_OPENED:
        return _NOT_OPENED[declined]
    now = await services.ledger.snapshot(product_id, count_claims=True)
    left = now.stock if now else 0
    epoch = await services.rooms.get_epoch(product_id)
    room = f", behind waiting room {epoch}" if epoch else ""
    if before and before.state is SaleState.OPEN:
        return f"is on sale already, {left} units left{room}"
    return f"on sale with {left} units{room}"


def rebuild(
    products: Annotated[list[str] | None, typer.Argument(help="By default all open sales.")] = None,
    starts: Start = None,
    ends: End = None,
    limit: Limit = 0,
    generation: Generation = None,
    wait: Annotated[float, typer.Option(help="Seconds to wait for orders on their way.")] = 300.0,
    yes: Yes = False,  # noqa: FBT002
) -> None:
    """Rebuild sales after Redis lost data: pause, drain, set the stock from PostgreSQL, resume.

    Without product ids the command names the open sales, which it would pause, and asks first. If
    Redis lost a whole sale, name the product, and its start, end, limit and generation if it had
    any. A product with orders keeps their generation. A waiting room goes on: nobody's place gets
    worse. A paused or ended sale is rebuilt only if you name it. Lost idempotency keys are not
    restored.

    Example: [bold]flashsale rebuild p-01 --limit 2[/]
    """
    target = Target.load(LOCAL)
    terms = terms_of(starts, ends, limit, generation)

    async def find(services: Services) -> list[str]:
        ids = products or await to_rebuild(services)
        if not ids:
            raise Problem("Redis has no open sale.", "Name the products that were on sale.")
        await _refuse_unknown(services, ids)
        return ids

    ids = with_services(target, find)
    if not products:
        _ask("Pause and rebuild", ids, yes=yes)

    async def run(services: Services) -> dict[str, str]:
        def messages() -> int:
            return total(depths(target.queues))

        try:
            opened = await rebuilding.rebuild(services, ids, messages, wait, terms)
            rooms = {id_: await where_the_room_goes_on(services, id_) for id_ in opened}
            return {id_: f"{units} units{rooms[id_]}" for id_, units in opened.items()}
        except rebuilding.StillBusy as error:
            raise Problem(
                f"{error}. The sales are paused.",
                "See `flashsale status`, `flashsale dlq ls` and `flashsale logs order`; then run "
                f"`flashsale rebuild {' '.join(ids)}`. Redrive, cancel or discard "
                "parked messages first.",
            ) from error
        except rebuilding.NotRebuilt as error:
            raise Problem(
                f"{error}.", "Make sure that nobody else opens these sales, and run this again."
            ) from error

    with step("pause, drain, rebuild"):
        opened = with_services(target, run, ORDERS_QUEUE_URL=target.queues["orders"])
    for product_id, what in opened.items():
        console.print(f"{product_id}: on sale again with {what}")


async def where_the_room_goes_on(services: Services, product_id: str) -> str:
    """Return what to say of the waiting room of a product that was rebuilt, "" without one."""
    room = await read_room(services, product_id)
    if room is None:
        return ""
    called, epoch = number(room.door.serving), room.queue.epoch
    return (
        f"; room {epoch} goes on: {called} places called, new ones from {number(room.queue.issued)}"
    )


def _ask(what: str, ids: list[str], *, yes: bool) -> None:
    """Ask before all products are acted on, because none was named."""
    if not yes:
        show(f"No product was named. {what} all {len(ids)}: {' '.join(ids)}", errors)
        typer.confirm("Continue?", abort=True, err=True)


async def _refuse_unknown(services: Services, products: list[str]) -> None:
    known = {product.id for product in await services.products.list_all()}
    if missing := sorted(set(products) - known):
        raise Problem(f"No such product: {', '.join(missing)}", "See `flashsale seed`.")


async def to_rebuild(services: Services) -> list[str]:
    """Return the products that are on sale, or were on sale when Redis lost their data."""
    ids = await services.stock.list_sales()
    found = {id_: await services.ledger.snapshot(id_, count_claims=False) for id_ in ids}
    if paused := [id_ for id_, one in found.items() if one and one.state is SaleState.PAUSED]:
        console.print(f"Paused, not named, and therefore not rebuilt: {' '.join(paused)}")
    return [id_ for id_, one in found.items() if one is None or one.state is SaleState.OPEN]
