"""Where commands print: results to standard output, progress and problems to standard error."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

from rich.console import Console
from rich.table import Table

from flashsale.services import Services
from flashsale_local.deployment.target import Target
from flashsale_local.queues.depths import Depth

console = Console(highlight=False)
errors = Console(stderr=True, highlight=False)

T = TypeVar("T")


def show(text: str) -> None:
    """Print what strangers may have written: as it is, and no orders to the terminal or to rich."""
    visible = (c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in text)
    console.print("".join(visible), markup=False, soft_wrap=True)


@contextmanager
def step(text: str) -> Iterator[Callable[[str], None]]:
    """Show a spinner while something happens, then one line that says what was done."""
    result = text
    with errors.status(text):

        def done(line: str) -> None:
            nonlocal result
            result = line

        yield done
    errors.print(f"[green]✓[/] {result}")


def table(title: str, *columns: str, numbers_from: int = 1) -> Table:
    """A table whose columns from `numbers_from` on are figures."""
    made = Table(title=title, title_justify="left", title_style="bold")
    for index, column in enumerate(columns):
        made.add_column(column, justify="right" if index >= numbers_from else "left")
    return made


def with_services(target: Target, use: Callable[[Services], Awaitable[T]], **more: str) -> T:
    """Run `use` with the services of a deployment (see there for `more`), and close them."""

    async def run() -> T:
        async with target.services(**more) as services:
            return await use(services)

    return asyncio.run(run())


def queues_table(depths: Mapping[str, Depth]) -> Table:
    """How many messages wait in each queue."""
    made = table("Messages", "queue", "ready", "in flight", "delayed")
    for name, depth in depths.items():
        made.add_row(name, str(depth.ready), str(depth.in_flight), str(depth.delayed))
    return made


def units(stock: int | None) -> str:
    """A stock for a table; a dash where there is none."""
    return "–" if stock is None else str(stock)


def alarming(count: int) -> str:
    """A count that should be 0, for a table."""
    return f"[bold red]{count}[/]" if count else "0"
