"""The table of the queues that commands print."""

from collections.abc import Mapping

from rich.table import Table

from flashsale_local.console import table
from flashsale_server.queues.depths import Depth


def queues_table(depths: Mapping[str, Depth]) -> Table:
    """Return a table of how many messages each queue has."""
    made = table("Messages", "queue", "ready", "in flight", "delayed")
    for name, depth in depths.items():
        made.add_row(name, str(depth.ready), str(depth.in_flight), str(depth.delayed))
    return made
