"""What runs when a command has ended: the addresses, and what an interrupt leaves."""

import os
from collections.abc import Sequence

from flashsale_local.console import console, errors
from flashsale_local.deployment.target import Target
from flashsale_local.paths import LOCAL
from flashsale_local.stack.containers import in_containers
from flashsale_local.stack.ports import port_of
from flashsale_local.stack.program import HOST
from flashsale_local.stack.supervisor import Supervisor


def show_addresses(target: Target, about_look: Sequence[str] = ()) -> None:
    """Print the addresses of a running stack, and the commands that come next.

    Args:
        about_look: lines below the commands that show the sale.

    """
    names = {"lambda": "Lambda", "asgi": "ASGI, with /metrics"}
    label = "API"
    for edge, endpoint in target.edges.items():
        console.print(f"  {label:8}  {endpoint.curl}  ({names[edge]})", soft_wrap=True)
        label = ""
    page = port_of(os.environ, "FLASHSALE_MONITOR_PORT")
    for label, text in (
        ("", "with /docs, /health and /api/products"),
        ("curl", 'eval "$(flashsale env)"; curl -s $API/health'),
        ("look", "flashsale status | verify | logs | dlq ls   (in .venv/bin)"),
        *(("", line) for line in about_look),
        ("watch", f"make monitor   (http://{HOST}:{page})"),
        *(_watchers(target) if in_containers(LOCAL) else ()),
        ("stop", "make down"),
    ):
        console.print(f"  {label:8}  {text}", soft_wrap=True)


def _watchers(target: Target) -> list[tuple[str, str]]:
    """Return lines for the programs that watch; without containers, `up` reports their start."""
    return [
        ("", f"{target.grafana_url}  (Grafana)"),
        ("", f"{target.prometheus_url}  (Prometheus)"),
        ("", f"{target.exporter_url}/metrics  (exporter)"),
    ]


def tell_what_runs() -> None:
    """Say what an interrupted command has left running, and how to stop it."""
    if in_containers(LOCAL):
        errors.print("Interrupted. Containers may still run. `make down` stops them.")
        return
    rows = Supervisor(LOCAL).info().items()
    running = [name for name, row in rows if row["statename"] == "RUNNING"]
    if running:
        errors.print(f"Interrupted. Still running: {', '.join(running)}. `make down` stops them.")
    else:
        errors.print("Interrupted. No server of the local stack runs.")
