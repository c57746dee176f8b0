"""Shows a spike: a live line while it runs, and a table at the end."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any

from rich.live import Live
from rich.table import Table

from flashsale.services import Services
from flashsale.usecases.books import read_books
from flashsale_local.console import errors, number, table, units
from flashsale_local.deployment.target import Target
from flashsale_local.queues.contents import look_into_queues
from loadtest.profiles import Profile
from loadtest.spike.k6 import Run
from loadtest.spike.outcome import Result
from loadtest.spike.room_outcome import RoomResult

PERIOD = 0.5  # seconds to wait between two readings
UNKNOWN = "–"


class Speed:
    """Measures how fast a counter grows between two readings."""

    def __init__(self, now: float) -> None:
        self._seen, self._total = now, 0.0

    def per_second(self, total: float | None, now: float) -> float | None:
        """Return the growth since the last known total; None if it is unknown.

        Args:
            total: the counter's total; None if it could not be read.
            now: seconds on the same clock as before.

        """
        if total is None:
            return None
        grown, took = total - self._total, now - self._seen
        self._total, self._seen = total, now
        # A counter that became smaller was reset at an unknown moment.
        return grown / took if grown >= 0 and took > 0 else None


async def watch(
    run: Run, target: Target, services: Services, product_id: str, profile: Profile
) -> None:
    """Show the figures of the run until it ends.

    Args:
        profile: the load of the run.

    """
    started = time.monotonic()
    answered = Speed(started)
    with Live(console=errors, auto_refresh=False, transient=True) as live:
        while run.running:
            metrics = await run.metrics()
            queues = await asyncio.to_thread(look_into_queues, target)
            waiting = {name: depth.total for name, depth in queues.depths.items()}
            (books,) = await read_books(services, [product_id], queues.waiting)
            now, total = time.monotonic(), _figure(metrics, "http_reqs", "count")
            line = live_table(
                f"{now - started:.0f} of {profile.seconds:.0f} s",
                f"{profile.rate_at(now - started):,.0f}",
                _shown(answered.per_second(total, now)),
                _shown(_figure(metrics, "accepted_ms", "p(95)")),
                *(number(waiting[name]) for name in ("orders", "dlq", "parking")),
                units(books.stock),
                number(books.unsettled),
                number(books.confirmed),
            )
            live.update(line, refresh=True)
            await asyncio.sleep(PERIOD)


def live_table(title: str, *figures: str) -> Table:
    """Return the table of one reading: each figure below its heading."""
    made = table(
        title,
        *("offered/s", "answered/s", "accepted p95, ms", "orders", "dlq", "parking"),
        *("stock", "unsettled", "confirmed"),
        numbers_from=0,
    )
    made.box = None  # so that it fits into 80 columns
    made.add_row(*figures)
    return made


def live_room_table(figures: Sequence[str | None]) -> Table:
    """Return the table of one look at a room: each figure below its heading."""
    made = table("", "called", "admitted", "calls/s", "inside", "stock", numbers_from=0)
    made.box = None
    made.add_row(*(figure or UNKNOWN for figure in figures))
    return made


def _figure(metrics: Mapping[str, Mapping[str, Any]], name: str, figure: str) -> float | None:
    """Return a figure of a metric; None while k6 gives no metrics, at its start and end."""
    if not metrics:
        return None
    return float(metrics.get(name, {}).get(figure, 0))


def _shown(figure: float | None) -> str:
    return UNKNOWN if figure is None else f"{figure:,.0f}"


def result_table(title: str, result: Result) -> Table:
    """Return a table of outcomes with their share of all attempts, rates and latencies."""
    summary = result.summary
    made = table(title, "outcome", "purchases", "share")
    for kind, count in summary.outcomes.items():
        made.add_row(kind.value, number(count), f"{count / max(1, summary.attempts):.1%}")
    made.add_row("not sent: k6 had no buyer free", number(summary.unsent), "")
    made.add_section()
    made.add_row("answered per second", f"{summary.attempts / summary.seconds:,.0f}", "")
    for name, milliseconds in summary.accepted_ms.items():
        made.add_row(f"accepted: latency {name}, ms", f"{milliseconds:,.0f}", "")
    made.add_row("nothing on its way any more after, s", f"{result.settling:.1f}", "")
    return made


def room_table(result: RoomResult) -> Table:
    """Return a table of what became of the buyers, what they were told, and what it cost."""
    summary, polls = result.summary, result.polls
    counts = summary.counts
    made = table("A sale behind a waiting room", "", "")
    made.show_header = False
    for name, text in {
        "joined": "joined",
        "called": "called",
        "no_shows": "  never came",
        "lapsed": "  came too late",
        "turned_away": "  came when nothing was left",
        "admitted": "admitted",
        "bought": "  bought",
        "nothing_left": "  refused inside: nothing was left",
        "admission_over": "  admission ran out",
        "gave_up": "still waited at the end",
    }.items():
        made.add_row(text, number(counts[name]))
    made.add_section()
    for name, seconds in (summary.waited or {}).items():
        made.add_row(f"wait until admitted, {name}, s", f"{seconds:.1f}")
    for when, estimates in summary.estimates.items():
        told = "in the first 15 s" if when == "early" else "later"
        for name, seconds in (estimates.off or {}).items():
            made.add_row(f"estimates told {told}: off by, {name}, s", f"{seconds:.1f}")
        if estimates.in_range is not None:
            made.add_row("  turn came within the range", f"{estimates.in_range:.0%}")
    made.add_section()
    made.add_row("most inside at once", f"{result.most_inside} of {result.max_inside}")
    made.add_row("overshoot", number(result.overshoot))
    made.add_row("claims refused at the edge", number(result.refused_at_edge))
    made.add_row("claims refused by the script", number(result.refused_by_script))
    made.add_section()
    made.add_row("polls of the buyers", number(counts["polls"]))
    made.add_row(f"polls alone, in {polls.seconds:g} s", number(polls.polls))
    made.add_row("  looks at Redis, of all processes", number(polls.refreshes))
    made.add_row("  Redis commands of a poll beside them", f"{round(polls.per_poll, 2) + 0.0:.2f}")
    return made
