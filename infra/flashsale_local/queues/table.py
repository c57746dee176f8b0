"""The table of the queues that commands print."""

from collections.abc import Mapping

from rich.table import Table

from flashsale_local.console import number, table
from flashsale_server.queues.depths import Depth


def queues_table(depths: Mapping[str, Depth]) -> Table:
    """Return a table of how many messages each queue has."""
    made = table("Messages", "queue", "ready", "in flight", "delayed")
    for name, depth in depths.items():
        made.add_row(name, number(depth.ready), number(depth.in_flight), number(depth.delayed))
    return made
