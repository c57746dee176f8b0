"""Prints tables of commands with large figures, for test_tables.py."""

from flashsale.usecases.books import Books
from flashsale_local.console import console, show_table, table
from flashsale_local.queues.table import queues_table
from flashsale_local.sale.books_table import books_table
from flashsale_server.queues.depths import Depth
from loadtest.spike.view import live_table

MANY = 10_000_000
POSTGRES = "postgresql://flashsale@127.0.0.1:15432/flashsale"
RDS = f"postgresql://flashsale@flashsale.cluster-{'c' * 60}.eu-central-1.rds.amazonaws.com:5432/db"
PRODUCT = "evening-of-the-great-sale-p-01"


def main() -> None:
    """Print the tables."""
    figures = (MANY, MANY - 1, MANY - 2, MANY - 3, MANY - 4)
    show_table(books_table([Books("p-01", (4,), *figures), Books(PRODUCT, (5,), *figures)]))
    console.print(queues_table({"orders": Depth(MANY, MANY - 1, MANY - 2)}))
    console.print(live_table("3 of 30 s", *(f"{MANY + n:,}" for n in range(9))))
    servers = table("Servers", "server", "address", "process", "state", "version", numbers_from=5)
    for name, address in {"postgres": POSTGRES, "rds": RDS}.items():
        servers.add_row(name, address, "1234567", "[red]down[/] (OperationalError)", "16.14")
    show_table(servers)
    rates = table("Rates", "what", "median", "min – max")
    rates.add_row("closed loop: claims accepted and persisted per second", "1,234", "1,000 – 2,000")
    console.print(rates)


if __name__ == "__main__":
    main()
