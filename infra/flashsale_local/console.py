"""Where commands print: results to standard output, progress and problems to standard error."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import replace

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.table import Column, Table
from rich.text import Text

console = Console(highlight=False)
errors = Console(stderr=True, highlight=False)


def show(text: str, where: Console = console) -> None:
    """Print untrusted text: neither the terminal nor rich interprets anything in it."""
    where.print(visible(text), markup=False, soft_wrap=True)


def visible(text: str) -> str:
    """Return untrusted text with each character that a terminal would interpret spelled out."""
    return "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in text)


def show_beside(first: str, text: str) -> None:
    """Print untrusted text beside a label, which may have markup.

    A terminal gets further lines below the first word of the text; a pipe gets one line.
    """
    if not console.is_terminal:
        console.print(f"{first} ", end="")
        show(text)
        return
    row = Table.grid(padding=(0, 1))
    row.add_column(no_wrap=True)
    row.add_column(overflow="fold")
    row.add_row(first, Text(visible(text)))
    console.print(row)


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


class FittedTable(Table):
    """A table that breaks and shortens no word, so no number and no address.

    In a narrow terminal its columns wrap between words. Where that is not enough, each row is
    printed as a list of its cells.
    """

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the table as it is, or with narrower columns, or as a list."""
        roomy = options.update(width=_ROOMY)
        sizes = [self._size(console, roomy, column) for column in self.columns]
        widest = sum(size.maximum for size in sizes)
        lines = Measurement.get(console, roomy, self).maximum - widest
        room = options.max_width - lines
        if widest <= room:
            yield from super().__rich_console__(console, options)
        elif sum(size.minimum for size in sizes) <= room:
            fitted = copy(self)
            fitted.columns = [
                replace(column, width=width)
                for column, width in zip(self.columns, _widths(sizes, room), strict=True)
            ]
            yield from Table.__rich_console__(fitted, console, options)
        else:
            yield from self._list(console, options.max_width)

    @staticmethod
    def _size(console: Console, options: ConsoleOptions, column: Column) -> Measurement:
        """Return the widths of the longest word and of the longest cell of a column."""
        cells = [Measurement.get(console, options, c) for c in (column.header, *column.cells)]
        return Measurement(max(c.minimum for c in cells), max(c.maximum for c in cells))

    def _list(self, console: Console, width: int) -> Iterator[Text]:
        """Yield each row as its first cell, if that is a name, and lines of heading and cell."""
        if self.title:
            yield Text(str(self.title), style="bold")
        headings = [" ".join(str(c.header).replace("-\n", "").split()) for c in self.columns]
        named = self.columns[0].justify != "right"
        for row in zip(*(column.cells for column in self.columns), strict=True):
            cells = [console.render_str(str(cell), highlight=False) for cell in row]
            if named:
                yield _unbroken(cells[0])
            line = Text()
            pairs = zip(headings[named:], cells[named:], strict=True)
            for heading, cell in ((h, c) for h, c in pairs if c.plain):
                pair = Text.assemble(f"{heading} " if heading else "", cell)
                if line and cell_len(f"  {line.plain} · {pair.plain}") > width:
                    yield _unbroken(Text.assemble("  ", line))
                    line = Text()
                line = Text.assemble(line, " · ", pair) if line else pair
            if line:
                yield _unbroken(Text.assemble("  ", line))


# A width that no table reaches, to measure what it would need.
_ROOMY = 10_000


def _unbroken(line: Text) -> Text:
    line.no_wrap, line.overflow = True, "ignore"
    return line


def _widths(sizes: Sequence[Measurement], room: int) -> list[int]:
    """Return a width for each column: its longest word, and more where most is missing."""
    widths = [size.minimum for size in sizes]
    for _ in range(room - sum(widths)):
        missing = [size.maximum - width for size, width in zip(sizes, widths, strict=True)]
        widths[missing.index(max(missing))] += 1
    return widths


def table(title: str, *columns: str, numbers_from: int = 1) -> FittedTable:
    """Return a table. Columns from index `numbers_from` on are aligned to the right."""
    made = FittedTable(title=title, title_justify="left", title_style="bold")
    for index, column in enumerate(columns):
        made.add_column(column, justify="right" if index >= numbers_from else "left")
    return made


def show_table(made: Table) -> None:
    """Print a table. An address that is wider than the terminal stays in one piece."""
    console.print(made, crop=False)


def number(count: int) -> str:
    """Return a count as a table shows it, with separated thousands."""
    return f"{count:,}"


def units(stock: int | None) -> str:
    """Return a stock as a table shows it; a dash stands for no stock at all."""
    return "–" if stock is None else number(stock)


def alarming(count: int) -> str:
    """Return a count as a table shows it, in red unless it is 0."""
    return f"[bold red]{number(count)}[/]" if count else "0"


def print_json(document: object) -> None:
    """Print one JSON document as one line, whatever the width of the terminal."""
    print(json.dumps(document), flush=True)  # noqa: T201
