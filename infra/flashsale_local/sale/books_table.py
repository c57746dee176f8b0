"""The table of the books that commands print."""

from rich.table import Table

from flashsale.usecases.books import Books
from flashsale_local.console import FittedTable, alarming, number, units


def books_table(rows: list[Books]) -> Table:
    """Return a table of where every unit of each product is.

    Reserved and expired units have a column only where there are any: most sales have none.
    """
    made = FittedTable(
        title="The books, in units", title_justify="left", box=None, padding=(0, 1, 0, 0)
    )
    made.add_column("product")
    made.add_column("by")
    reserved, expired = any(row.reserved for row in rows), any(row.expired for row in rows)
    names = ["ini-\ntial", "stock\nRedis", "stock\nPG", "on the\nway", "par-\nked"]
    names += ["re-\nserved"] * reserved + ["con-\nfirmed"]
    names += ["ex-\npired"] * expired + ["can-\ncelled", "over-\nsold", "lost", "books"]
    for name in names:
        made.add_column(name, justify="right")
    for row in rows:
        made.add_row(
            row.product_id,
            " ".join(f"V{number}" for number in row.generations) or "–",
            number(row.initial),
            units(row.redis_stock),
            number(row.postgres_stock),
            f"{'' if row.exact else '≤'}{number(row.unsettled)}",
            alarming(row.parked),
            *([number(row.reserved)] if reserved else []),
            number(row.confirmed),
            *([number(row.expired)] if expired else []),
            number(row.cancelled),
            alarming(row.oversold),
            alarming(row.lost),
            _balance(row),
        )
    return made


def _balance(row: Books) -> str:
    if not row.balanced:
        return f"[red]{row.imbalance:+,}[/]"
    return "[yellow]parked[/]" if row.parked else "[green]ok[/]"
