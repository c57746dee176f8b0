"""The table that `make bench` prints at its end."""

from flashsale_local.console import FittedTable, table
from loadtest.bench.results import Results
from loadtest.bench.table import NAMES, tables


def summary(results: Results) -> FittedTable:
    """Return the first table of the report: one row for each figure of the original."""
    first = tables(results)[0]
    made = table(first.title, "", *NAMES.values())
    for row in first.rows:
        made.add_row(row.name, *row.cells)
        if row.original:
            made.add_row("– the original", *row.original, style="dim italic")
    return made
