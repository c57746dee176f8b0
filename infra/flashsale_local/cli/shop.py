"""The command `flashsale shop`."""

import asyncio
import webbrowser
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated

import typer
from rich.live import Live
from rich.table import Table

from flashsale.errors import FlashsaleError
from flashsale.services import Services
from flashsale.usecases.books import Books, read_books
from flashsale_local.cli.monitor import monitor_port
from flashsale_local.console import console, errors, number, step
from flashsale_local.deployment.deploy import hold_grace
from flashsale_local.deployment.target import Target, with_services
from flashsale_local.problems import Problem
from flashsale_local.sale.crowd import LONGEST, Crowd
from flashsale_local.sale.shop_front import (
    FOR_VISITORS,
    HOLD,
    OPENS_IN,
    Offer,
    crowd_users,
    open_shop,
)
from flashsale_local.sale.warm_up import warm_up, warm_up_payments
from flashsale_local.stack.asgi import start_asgi_edge
from flashsale_local.stack.program import HOST
from flashsale_local.stack.start import start

PEOPLE, UNITS = 2000, 1200
NAME, PRICE = "Aero One, first edition", 349.0
# Webhooks that the fake provider sends at a time.
WEBHOOKS = 4
# The crowd has joined so many seconds before the opening.
SPARE = 7


def shop(
    people: Annotated[
        int, typer.Option(min=1, max=20_000, help="Simulated people who come with you.")
    ] = PEOPLE,
    units: Annotated[int, typer.Option(min=1, max=100_000, help="Units that are on sale.")] = UNITS,
    name: Annotated[str, typer.Option(help="What the product is called.")] = NAME,
    price: Annotated[float, typer.Option(min=0.01, max=99_999, help="Its price in EUR.")] = PRICE,
    show: Annotated[bool, typer.Option("--open/--no-open", help="Open a browser.")] = True,  # noqa: FBT002
) -> None:
    """Walk through a sale as a buyer, in a browser, among 2,000 simulated people.

    It starts what is missing of the stack, and opens a product behind a waiting room. You and the
    crowd join, a seed draws the places, and who is called may buy. An order is held for 30 s until
    it is paid at the fake provider. Some of the crowd never come, some buy nothing, and some do not
    pay. The crowd leaves when all are done, after ten minutes at the latest, or at Ctrl+C. The
    stack stays up, and the page of the sale with it.

    Example: [bold]flashsale shop --people 4000[/]
    """
    target = start_asgi_edge(start(asgi=True, as_processes=True))
    if not target.provider_url:
        raise Problem(
            "The fake provider does not run, so nobody could pay.",
            "See .local/logs/provider.log, or set FLASHSALE_PROVIDER_PORT to a free port.",
        )
    with step("warm up the functions"):
        asyncio.run(_warm_up(target))
    offer = Offer(name, Decimal(f"{price:.2f}"), units)
    product_id = with_services(target, lambda services: open_shop(services, offer, people))
    page = f"{target.asgi_url}/shop/{product_id}"
    _tell(target, page, people)
    if show:
        webbrowser.open(page)
    crowd = Crowd(target, product_id, crowd_users(people), OPENS_IN - SPARE)
    with Live(console=console, auto_refresh=False) as live:
        crowd.report = lambda crowd: live.update(_summary(crowd, units), refresh=True)
        done = asyncio.run(crowd.run())
        crowd.report(crowd)
    console.print(
        f"\nThe crowd has left{'' if done else f' after {LONGEST / 60:.0f} minutes'}. "
        "The sale goes on for you, and the stack stays up (`make down` stops it)."
    )
    _show_books(target, product_id)


async def _warm_up(target: Target) -> None:
    await warm_up(target)
    await warm_up_payments(target, WEBHOOKS)


def _tell(target: Target, page: str, people: int) -> None:
    """Print where the sale is, and what to try there."""
    visitors = f"u-00001 to u-{FOR_VISITORS:05}"
    outage = (
        "stop PostgreSQL on the page of make monitor, pay, and start it again"
        if target.auth == "none"
        else "see where every unit is, on the page of make monitor"
    )
    console.print(f"\nThe sale opens in {OPENS_IN} s, for you and {number(people)} others:")
    for label, text in (
        ("page", page),
        ("watch", f"http://{HOST}:{monitor_port()}  (make monitor, in a second terminal)"),
        ("try", f"join from two browsers, as two users ({visitors})"),
        ("", "check the draw, when the places are known"),
        ("", f"buy, and let the hold expire ({HOLD} s, and {hold_grace()} s of grace)"),
        ("", "buy again, and pay late: the payment is refunded"),
        ("", outage),
        ("stop", "Ctrl+C sends the crowd home"),
    ):
        console.print(f"  {label:6}  {text}", soft_wrap=True)
    console.print("The crowd shares one look a second at the queue, as people behind a CDN do.\n")


def _summary(crowd: Crowd, units: int) -> Table:
    """Return what the room and the crowd do now."""
    room, tally = crowd.room, crowd.tally
    lines: list[tuple[str, str]] = [("the room", "has not answered yet")]
    if room:
        left, held = room["stock"], room["held"]
        of_units = f"{number(left)} left, {number(held)} held until they are paid"
        lines = [
            ("the room", f"{room['state']}{', and Redis is silent' if room['stale'] else ''}"),
            ("waiting", number(room["waiting"])),
            ("inside", f"{number(room['inside'])} of {number(room['maxInside'])} at most"),
            ("units", f"{of_units}, {number(units - left - held)} sold or on their way"),
        ]
    came = {"joined": tally.joined, "never came": tally.never_came, "came": tally.came}
    orders = {"bought": tally.bought, "paid": tally.paid, "not paid in time": tally.expired}
    lines += [("the crowd", _counts(came)), ("its orders", _counts(orders))]
    made = Table.grid(padding=(0, 2))
    for row in lines:
        made.add_row(*row)
    return made


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{number(count)} {what}" for what, count in counts.items())


def _show_books(target: Target, product_id: str) -> None:
    async def read(services: Services) -> Books:
        (books,) = await read_books(services, [product_id])
        return books

    try:
        books = with_services(target, read)
    except FlashsaleError as error:
        errors.print(f"The books cannot be read now: {error}. Later: flashsale verify {product_id}")
        return
    console.print(
        f"Of {number(books.initial)} units {number(books.confirmed)} are sold, "
        f"{number(books.reserved)} held, {number(books.stock)} left: "
        + ("every unit is accounted for." if books.balanced else "the books are broken.")
    )
    if not books.balanced:
        raise typer.Exit(1)
