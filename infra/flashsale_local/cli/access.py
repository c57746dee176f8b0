"""Shows the access settings of the running stack."""

import typer
from rich.markup import escape
from rich.table import Table

from flashsale_local.console import errors, show_table, table
from flashsale_local.stack.access import PUBLIC, WAY_OUT, SettingsByEndpoint, differences

COLUMNS = ("AUTH", "limit by user", "limit by address", "CORS origins")


def show_access(by_endpoint: SettingsByEndpoint) -> None:
    """Print the access settings of each endpoint; exit with status 1 where they differ."""
    show_table(_table(by_endpoint))
    if found := differences(by_endpoint):
        for difference in found:
            errors.print(f"[bold red]✗ {escape(difference)}[/]")
        errors.print(WAY_OUT)
        raise typer.Exit(1)


def _table(by_endpoint: SettingsByEndpoint) -> Table:
    rows = table("Endpoints", "endpoint", *COLUMNS, numbers_from=9)
    for endpoint, settings in by_endpoint.items():
        if settings is None:
            rows.add_row(endpoint, "[yellow]unknown: cannot be read[/]")
        else:
            rows.add_row(endpoint, *(escape(settings[name] or "none") for name in PUBLIC))
    return rows
