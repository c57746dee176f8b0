"""Where commands print: results to standard output, progress and problems to standard error."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.table import Table

console = Console(highlight=False)
errors = Console(stderr=True, highlight=False)


def show(text: str) -> None:
    """Print untrusted text: neither the terminal nor rich interprets anything in it."""
    visible = (c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in text)
    console.print("".join(visible), markup=False, soft_wrap=True)


def report_done(line: str) -> None:
    """Print one line for a step that is done."""
    errors.print(f"[green]✓[/] {line}")


@contextmanager
def step(text: str) -> Iterator[Callable[[str], None]]:
    """Show a spinner while the body runs, then one line.

    The line is `text`, or what the body passes to the function that it is given.
    """
    result = text
    with errors.status(text):

        def done(line: str) -> None:
            nonlocal result
            result = line

        yield done
    report_done(result)


def table(title: str, *columns: str, numbers_from: int = 1) -> Table:
    """Return a table. Columns from index `numbers_from` on are aligned to the right."""
    made = Table(title=title, title_justify="left", title_style="bold")
    for index, column in enumerate(columns):
        made.add_column(column, justify="right" if index >= numbers_from else "left")
    return made


def units(stock: int | None) -> str:
    """Return a stock as a table shows it; a dash stands for no stock at all."""
    return "–" if stock is None else str(stock)


def alarming(count: int) -> str:
    """Return a count as a table shows it, in red unless it is 0."""
    return f"[bold red]{count}[/]" if count else "0"
