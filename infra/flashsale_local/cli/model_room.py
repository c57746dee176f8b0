"""What `flashsale model` says about waiting rooms: the simulation of --room, and the costs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Annotated, Any

import typer
from rich.table import Table

from flashsale_desk.scaling.inputs import Inputs
from flashsale_desk.scaling.rooms import CROWDS, waiting
from flashsale_desk.waiting_room.crowd import Crowd, Outcome
from flashsale_desk.waiting_room.simulation import MINUTE, simulate
from flashsale_local.console import console, print_json, table

CALLS_A_MINUTE = (30.0, 120.0, 600.0)


def _option(help_: str, minimum: float, maximum: float | None = None) -> Any:
    return typer.Option(min=minimum, max=maximum, help=help_, rich_help_panel="With --room")


People = Annotated[int | None, _option("Users who wait at the opening.", 1)]
Arrivals = Annotated[float | None, _option("Users a minute who join later.", 0)]
Units = Annotated[int | None, _option("Units on sale.", 1)]
NoShows = Annotated[float | None, _option("Share of the called who never come.", 0, 1)]
Leavers = Annotated[float | None, _option("Share of the admitted who never buy.", 0, 1)]
PerMinute = Annotated[list[float] | None, _option("Most calls a minute, repeatable.", 0.1)]
MaxInside = Annotated[int | None, _option("Most users inside at once.", 1)]
AdmissionSeconds = Annotated[float | None, _option("How long an admitted user is inside.", 1)]
SecondsToCome = Annotated[float | None, _option("From the call to the admission.", 0)]
SecondsToBuy = Annotated[float | None, _option("From the admission to the purchase.", 0)]
OrdersPerSecond = Annotated[float | None, _option("Orders that the pipeline writes.", 0.1)]


def show(given: Mapping[str, Any], per_minute: Sequence[float] | None, *, as_json: bool) -> None:
    """Simulate a crowd for each rate of calls, and print what becomes of it."""
    crowd = replace(Crowd(), **{name: one for name, one in given.items() if one is not None})
    crowds = [replace(crowd, per_minute=rate) for rate in per_minute or CALLS_A_MINUTE]
    outcomes = [simulate(one) for one in crowds]
    if as_json:
        print_json(
            [_as_document(*pair) for pair in zip(crowds, outcomes, strict=True)],
        )
        return
    console.print(_runs_table(crowds, outcomes))
    console.print()
    for line in _assumed(crowd):
        console.print(line)


def _as_document(crowd: Crowd, outcome: Outcome) -> dict[str, Any]:
    """Return a run for machines. Times are ms."""
    found = asdict(outcome)
    del found["waits"]
    return {
        **asdict(crowd),
        **found,
        "sold": len(outcome.waits),
        "wait_p50": outcome.wait(0.5),
        "wait_p95": outcome.wait(0.95),
    }


def _runs_table(crowds: Sequence[Crowd], outcomes: Sequence[Outcome]) -> Table:
    first = crowds[0]
    made = table(
        f"{first.people:,} people and {first.units:,} units",
        "calls a minute, at most",
        *(f"{crowd.per_minute:g}" for crowd in crowds),
    )

    def add(name: str, figure: Callable[[Outcome], str]) -> None:
        made.add_row(name, *(figure(outcome) for outcome in outcomes))

    add("sold out after, min", lambda one: _minutes(one.sold_out_at))
    add("wait of the buyers p50, min", lambda one: _minutes(one.wait(0.5)))
    add("wait of the buyers p95, min", lambda one: _minutes(one.wait(0.95)))
    made.add_section()
    add("called", lambda one: f"{one.called:,}")
    add("  never came", lambda one: f"{one.no_shows:,}")
    add("  came too late: the call lapsed", lambda one: f"{one.lapsed:,}")
    add("  came when nothing was left", lambda one: f"{one.turned_away:,}")
    add("admitted", lambda one: f"{one.admitted:,}")
    add("  bought", lambda one: f"{len(one.waits):,}")
    add("  bought nothing, left", lambda one: f"{one.left:,}")
    add("  admission ran out", lambda one: f"{one.too_slow:,}")
    add("  refused inside: nothing was left", lambda one: f"{one.refused:,}")
    made.add_section()
    add("most inside at once", lambda one: f"{one.most_inside:,}")
    add("still waited at the end", lambda one: f"{one.still_waiting:,}")
    add("calls limited most by", lambda one: one.limit or "–")
    return made


def _minutes(milliseconds: int | None) -> str:
    return "–" if milliseconds is None else f"{milliseconds / MINUTE:,.1f}"


def _assumed(crowd: Crowd) -> list[str]:
    """Return what the figures rest on, beside the rules of the scripts."""
    come, buy = f"{crowd.seconds_to_come:g} s", f"{crowd.seconds_to_buy:g} s"
    inside, written = f"{crowd.max_inside:,}", f"{crowd.orders_per_second:g}"
    return [
        f"{crowd.no_shows:.0%} of the called never come, the others after {come} on average.",
        f"{crowd.leavers:.0%} of the admitted never buy, the others after {buy} on average.",
        f"At most {inside} are inside, each for {crowd.admission_seconds:g} s.",
        f"{crowd.arrivals:g} a minute join later. {written} orders a second are written.",
    ]


def costs_table(inputs: Inputs) -> Table:
    """Return what the people in a waiting room need, and what their polls cost."""
    found = [waiting(inputs, people) for people in CROWDS]
    minutes = f"{inputs.measured.room_minutes:g}"
    made = table(f"A waiting room for {minutes} minutes", "people", *(f"{n:,}" for n in CROWDS))
    for name, values in {
        "memory of their places, MB": [f"{each.megabytes:,.1f}" for each in found],
        "joins/s": [f"{each.joins:,.0f}" for each in found],
        "seconds between the polls of a client": [f"{each.poll_after:g}" for each in found],
        "polls/s": [f"{each.polls:,.0f}" for each in found],
        "  that reach the origin, at most": [f"{each.origin:g}" for each in found],
        "  Redis commands/s for them, at most": [f"{each.redis_commands:g}" for each in found],
    }.items():
        made.add_row(name, *values)
    made.add_section()
    for name in found[0].usd:
        made.add_row(f"USD, {name}", *(f"{each.usd[name]:,.2f}" for each in found))
    made.add_row("USD, all of it", *(f"{sum(each.usd.values()):,.2f}" for each in found))
    made.add_row("USD of the polls without a cache", *(f"{each.uncached:,.2f}" for each in found))
    return made
