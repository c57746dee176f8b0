"""The command `flashsale model`."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from flashsale_desk.scaling import rates
from flashsale_desk.scaling.costs import LAMBDA_EDGES, Edge, crossover, hourly, per_million
from flashsale_desk.scaling.document import as_document
from flashsale_desk.scaling.inputs import Inputs, load
from flashsale_desk.scaling.payments import per_million_payments
from flashsale_local.cli import model_room
from flashsale_local.console import console, table
from flashsale_local.problems import Problem

RATES = (10.0, 100.0, 1_000.0, 10_000.0)
# The rate whose costs are shown line by line.
DETAIL = 1_000.0


def model(
    rate: Annotated[
        list[float] | None, typer.Option(help="Purchases per second, repeatable.")
    ] = None,
    prices: Annotated[Path | None, typer.Option(help="TOML with other prices.")] = None,
    measured: Annotated[Path | None, typer.Option(help="TOML with other measured costs.")] = None,
    limits: Annotated[Path | None, typer.Option(help="TOML with other quotas of AWS.")] = None,
    change: Annotated[
        list[str] | None, typer.Option("--set", help="name=value, repeatable.")
    ] = None,
    room: Annotated[  # noqa: FBT002
        bool, typer.Option("--room", help="Simulate a waiting room instead.")
    ] = False,
    people: model_room.People = None,
    arrivals: model_room.Arrivals = None,
    units: model_room.Units = None,
    no_shows: model_room.NoShows = None,
    leavers: model_room.Leavers = None,
    per_minute: model_room.PerMinute = None,
    max_inside: model_room.MaxInside = None,
    admission_seconds: model_room.AdmissionSeconds = None,
    seconds_to_come: model_room.SecondsToCome = None,
    seconds_to_buy: model_room.SecondsToBuy = None,
    orders_per_second: model_room.OrdersPerSecond = None,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,  # noqa: FBT002
) -> None:
    """Calculate rates, limits and USD per million purchases on AWS from measured costs.

    The inputs are in infra/flashsale_desk/scaling/*.toml. The calculation needs no stack and no
    network. See docs/scaling.md.

    With --room, simulate a waiting room by the rules of its scripts: how long it takes, and how
    many are let in and find nothing.

    Example: [bold]flashsale model --rate 500 --rate 2000 --set task_utilisation=0.7[/]

    Example: [bold]flashsale model --room --people 20000 --units 500 --no-shows 0.6[/]
    """
    given = {
        "people": people,
        "arrivals": arrivals,
        "units": units,
        "no_shows": no_shows,
        "leavers": leavers,
        "max_inside": max_inside,
        "admission_seconds": admission_seconds,
        "seconds_to_come": seconds_to_come,
        "seconds_to_buy": seconds_to_buy,
        "orders_per_second": orders_per_second,
    }
    if room:
        model_room.show(given, per_minute, as_json=as_json)
        return
    if per_minute or any(value is not None for value in given.values()):
        raise Problem("This option is for a waiting room.", "Add --room.")
    inputs = load(prices, measured, limits, dict(_change(text) for text in change or []))
    wanted = rate or RATES
    if min(wanted) <= 0:
        raise Problem("A rate must be above 0.", "Give purchases per second, such as --rate 100.")
    if as_json:
        print(json.dumps(as_document(inputs, wanted)))  # noqa: T201
        return
    for made in tables(inputs, wanted):
        console.print(made)
        console.print()
    for line in findings(inputs):
        console.print(line)


def _change(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    try:
        return name, float(value)
    except ValueError:
        raise Problem(
            f"--set {text}: the value is not a number.", "Write for example --set valkey_wait=0.5"
        ) from None


def tables(inputs: Inputs, wanted: Sequence[float]) -> list[Table]:
    """Return the printed tables. docs/scaling.md has the same ones."""
    return [
        _environment_table(inputs),
        _needs_table(inputs, wanted),
        _ceilings_table(inputs),
        _costs_table(inputs, wanted),
        _detail_table(inputs),
        _payments_table(inputs),
        model_room.costs_table(inputs),
    ]


def findings(inputs: Inputs) -> list[str]:
    """Return the lines below the tables."""
    lines = []
    for edge in LAMBDA_EDGES:
        found = crossover(inputs, edge)
        where = "nowhere up to 100,000/s" if found is None else f"from {found:.0f} purchases/s"
        lines.append(f"asgi is cheaper than {edge}: {where}, sustained")
    unchecked = ", ".join(inputs.assumptions)
    lines.append(f"{len(inputs.assumptions)} of {len(inputs.entries)} inputs are assumptions:")
    return [*lines, unchecked]


def _environment_table(inputs: Inputs) -> Table:
    made = table("One environment of buy, warm", "", "duration, ms", "1 / duration, /s", "AWS, /s")
    for generation in (4, 5):
        seconds = rates.buy_seconds(inputs, generation)
        allowed = min(1 / seconds, inputs.limits.environment_rps)
        made.add_row(
            f"V{generation}", f"{seconds * 1e3:.1f}", f"{1 / seconds:,.0f}", f"{allowed:,g}"
        )
    return made


def _needs_table(inputs: Inputs, wanted: Sequence[float]) -> Table:
    made = table("What a rate needs", "purchases/s", *(f"{rate:,g}" for rate in wanted))
    found = [rates.needs(inputs, rate) for rate in wanted]
    for name, values in {
        "environments of buy, V4": [f"{each.environments_v4:,}" for each in found],
        "environments of buy, V5": [f"{each.environments_v5:,}" for each in found],
        "  of the account's concurrency, %": [
            f"{each.concurrency_share:.1%}"[:-1] for each in found
        ],
        "  seconds of scaling, from none": [f"{each.scaling_seconds:.2g}" for each in found],
        "web tasks of the asgi edge": [f"{each.tasks:,}" for each in found],
        "Valkey shards, sales spread evenly": [f"{each.shards:,}" for each in found],
        "SQS sends/s, V4": [f"{each.sends_v4:,g}" for each in found],
        "SQS sends/s, V5 lambda, at most": [f"{each.sends_v5_lambda:,.3g}" for each in found],
        "SQS sends/s, V5 asgi, at most": [f"{each.sends_v5_asgi:,.3g}" for each in found],
        "connections, V4 and V5, at most": [f"{each.connections:,}" for each in found],
        "connections, V2 and V3, at least": [f"{each.connections_v2_v3:,}" for each in found],
        "orders not yet written after 60 s": [f"{each.backlog:,.0f}" for each in found],
    }.items():
        made.add_row(name, *values)
    return made


def _ceilings_table(inputs: Inputs) -> Table:
    made = table("What ends it, as it is set up", "purchases/s", "what", numbers_from=2)
    for rate, what in rates.ceilings(inputs):
        made.add_row(f"{rate:,.0f}", what)
    return made


def _costs_table(inputs: Inputs, wanted: Sequence[float]) -> Table:
    made = table("USD per million purchases (V5)", "purchases/s, sustained", *Edge)
    for rate in wanted:
        made.add_row(f"{rate:,g}", *(f"{per_million(inputs, edge, rate):,.2f}" for edge in Edge))
    return made


def _detail_table(inputs: Inputs) -> Table:
    made = table(f"USD per million at {DETAIL:,g}/s, by what it is for", "", *Edge)
    lines = {edge: hourly(inputs, edge, DETAIL) for edge in Edge}
    for name in lines[Edge.ASGI]:
        shown = (lines[edge][name] / (DETAIL * 3600) * 1e6 for edge in Edge)
        made.add_row(name, *(f"{usd:,.3f}" for usd in shown))
    return made


def _payments_table(inputs: Inputs) -> Table:
    made = table("USD per million payments, beside the purchase", "", *Edge)
    costs = {edge: per_million_payments(inputs, edge) for edge in Edge}
    for name in costs[Edge.ASGI]:
        made.add_row(name, *(f"{costs[edge][name]:,.3f}" for edge in Edge))
    made.add_row("all of it", *(f"{sum(costs[edge].values()):,.2f}" for edge in Edge))
    purchases = (f"{per_million(inputs, edge, DETAIL):,.2f}" for edge in Edge)
    made.add_row(f"the purchase, at {DETAIL:,g}/s", *purchases)
    return made
