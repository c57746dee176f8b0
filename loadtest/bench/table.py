"""The tables of the report, with a row for each figure and a column for each generation."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from loadtest.bench.results import GENERATIONS, About, Kill, Kills, Latency, Results, Sale

NAMES = {
    1: "V1 naive",
    2: "V2 atomic SQL",
    3: "V3 Redis, then SQL",
    4: "V4 Redis and a queue",
    5: "V5 journalled claim",
}

# Figures that the author of the original (Node.js: Express, Redis Lua, BullMQ, PostgreSQL) reports:
# k6, 50 to 1,000 requests/s over 55 s, on hardware that is not stated. The original has no V5.
ORIGINAL = {
    "oversold": ["~23,486", "0", "0", "0"],
    "lost": ["–", "–", "6,601", "0"],
    "p95 scarce": ["–", "–", "–", "7.62"],
    "p95 abundant": ["3,600", "1,390", "2,110", "36.7"],
    "accepted scarce": ["–", "–", "–", "~719"],
    "accepted abundant": ["~516", "–", "–", "~1,459"],
    "database": ["pool exhausted", "under contention", "flood", "none"],
    "5xx": ["~0.92 %", "–", "many", "0 %"],
    "heals": ["no", "no", "no", "yes"],
}


@dataclass(frozen=True)
class Row:
    """A figure of each generation. `original` holds what the original's author reports."""

    name: str
    cells: list[str]
    original: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Table:
    """Rows below a title, and perhaps a sentence that says what they mean."""

    title: str
    rows: list[Row]
    note: str = ""


def tables(results: Results) -> list[Table]:
    """Return all tables, those of the ASGI edge first, because no emulator affects them."""
    made = [_summary(results)]
    for edge in sorted(results.edges, key=lambda edge: edge.name):
        title = f"{'ASGI' if edge.name == 'asgi' else 'Lambda'} edge, peak {edge.peak:.0f}/s"
        scarce = Rows(results, "scarce", edge.name)
        abundant = Rows(results, "abundant", edge.name)
        units = next(iter(scarce.sales[0])).units
        made.append(Table(f"{title}: scarce stock ({units:,} units)", _scarce(scarce)))
        if any(abundant.sales):
            made.append(Table(f"{title}: abundant stock (10,000,000 units)", _abundant(abundant)))
    made.append(Table("PostgreSQL is stopped in the middle of a sale", _outage(results)))
    if results.of("long outage", "asgi", 5):
        title = "PostgreSQL is away until messages are in the dead-letter queue"
        made.append(Table(title, _long_outage(results)))
    if results.kills:
        made.append(_kills(results.kills, results.about))
    return made


class Rows:
    """The repeats of one kind of sale, by generation."""

    def __init__(self, results: Results, kind: str, edge: str) -> None:
        self.sales = [results.of(kind, edge, generation) for generation in GENERATIONS]

    def row(
        self, name: str, figure: Callable[[Sale], float | None], unit: str = "", original: str = ""
    ) -> Row:
        """Make a row with the median of the repeats of each generation."""
        cells = [_cell([figure(sale) for sale in sales], unit) for sales in self.sales]
        return Row(name, cells, [*ORIGINAL[original], "–"] if original else [])


def _summary(results: Results) -> Table:
    """Make the table of the original, for the ASGI edge. The other tables have the rest."""
    scarce, abundant = Rows(results, "scarce", "asgi"), Rows(results, "abundant", "asgi")
    outage = Rows(results, "outage", "asgi")
    return Table(
        "The original's table, ASGI edge",
        [
            scarce.row("oversold, scarce stock", lambda s: s.oversold, original="oversold"),
            abundant.row("lost, abundant stock", lambda s: s.lost, original="lost"),
            abundant.row("sold twice, abundant stock", lambda s: max(0, -s.imbalance)),
            abundant.row("p95 of answers, ms", lambda s: s.p95, original="p95 abundant"),
            abundant.row("accepted per second", lambda s: s.accepted_per_second,
                         original="accepted abundant"),
            abundant.row("orders written per second", lambda s: s.persisted_per_second),
            abundant.row("claim to CONFIRMED, p95, s", lambda s: _seconds(s.confirmation, 95)),
            abundant.row("PostgreSQL connection errors", lambda s: s.database_errors,
                         original="database"),
            abundant.row("5xx", lambda s: 100 * s.server_errors / s.offered, " %", original="5xx"),
            outage.row("accepted while PostgreSQL is down", lambda s: s.accepted_during_fault),
            _healing(outage),
            *([_lost(results.kills)] if results.kills else []),
        ],
    )  # fmt: skip


def _scarce(rows: Rows) -> list[Row]:
    return [
        rows.row("oversold, units", lambda s: s.oversold, original="oversold"),
        rows.row("books off by, units", lambda s: s.imbalance),
        *_answers(rows, "scarce"),
        rows.row("sold out", lambda s: 100 * s.sold_out / s.offered, " %"),
        *_errors(rows),
    ]


def _abundant(rows: Rows) -> list[Row]:
    return [
        rows.row("books off by, units", lambda s: s.imbalance, original="lost"),
        *_answers(rows, "abundant"),
        *_errors(rows, original=True),
        rows.row("written to PostgreSQL per second", lambda s: s.persisted_per_second),
        rows.row("claim to CONFIRMED: p50, s", lambda s: _seconds(s.confirmation, 50)),
        rows.row("claim to CONFIRMED: p95, s", lambda s: _seconds(s.confirmation, 95)),
        rows.row("empty after the last answer, s", lambda s: s.drain),
        rows.row("drained per second", lambda s: s.drain_rate),
    ]


def _answers(rows: Rows, kind: str) -> list[Row]:
    return [
        rows.row("all answers: p50, ms", lambda s: _ms(s.answers, 50)),
        rows.row("all answers: p95, ms", lambda s: _ms(s.answers, 95),
                 original=f"p95 {kind}"),
        rows.row("all answers: p99, ms", lambda s: _ms(s.answers, 99)),
        rows.row("accepted: p95, ms", lambda s: _ms(s.acceptance, 95)),
        rows.row("accepted per second", lambda s: s.accepted_per_second,
                 original=f"accepted {kind}"),
    ]  # fmt: skip


def _errors(rows: Rows, *, original: bool = False) -> list[Row]:
    return [
        rows.row("5xx", lambda s: 100 * s.server_errors / s.offered, " %",
                 original="5xx" if original else ""),
        rows.row("PostgreSQL connection errors", lambda s: s.database_errors,
                 original="database" if original else ""),
        rows.row("no answer in 10 s, or never sent",
                 lambda s: 100 * (s.failed - s.server_errors + s.dropped) / s.offered, " %"),
        rows.row("throttled (429)", lambda s: 100 * s.throttled / s.offered, " %"),
    ]  # fmt: skip


def _outage(results: Results) -> list[Row]:
    rows = Rows(results, "outage", "asgi")
    return [
        rows.row("accepted during the outage", lambda s: s.accepted_during_fault),
        rows.row("5xx", lambda s: 100 * s.server_errors / s.offered, " %"),
        rows.row("books off by, units", lambda s: s.imbalance),
        _healing(rows),
    ]


def _healing(outage: Rows) -> Row:
    cells = [_heals(sales[0]) if sales else "–" for sales in outage.sales]
    return Row("heals by itself", cells, [*ORIGINAL["heals"], "–"])


def _heals(sale: Sale) -> str:
    if sale.healed_after is None:
        return f"no: {sale.imbalance:+,} units"
    if sale.fault and sale.accepted_during_fault < sale.rate * sale.fault.seconds / 2:
        return f"sells again after {sale.healed_after:.1f} s"
    return f"yes, all written after {sale.healed_after:.1f} s"


def _long_outage(results: Results) -> list[Row]:
    rows = Rows(results, "long outage", "asgi")
    return [
        rows.row("PostgreSQL away, s", lambda s: s.fault.seconds if s.fault else None),
        rows.row("accepted", lambda s: s.accepted),
        rows.row("confirmed", lambda s: s.confirmed),
        rows.row("cancelled, their units given back", lambda s: s.cancelled),
        rows.row("books off by, units", lambda s: s.imbalance),
        rows.row("all settled after PostgreSQL was back, s", lambda s: s.healed_after),
    ]


def _kills(kills: Kills, about: About) -> Table:
    """Make the table of the kills, which may come from another run."""
    measured = "" if kills.command == about.command else f" {_origin(kills)}"
    return Table(
        f"A web worker is killed between two steps of a purchase, {kills.times} times",
        [
            _of_kills(kills, "under way when the worker is killed", lambda one: one.under_way),
            _of_kills(kills, "confirmed in the end", lambda one: one.confirmed),
            _lost(kills),
        ],
        f"{_sentence(kills)}{measured}",
    )


def _lost(kills: Kills) -> Row:
    return _of_kills(kills, "units lost per kill of a web worker", lambda one: one.lost)


def _of_kills(kills: Kills, name: str, figure: Callable[[Kill], float]) -> Row:
    return Row(name, [_cell([figure(k) for k in kills.of(g)], "") for g in GENERATIONS])


def _sentence(kills: Kills) -> str:
    """Say what a kill costs: the median, and min – max where the kills differ."""
    losers: dict[str, list[str]] = {}
    for g in GENERATIONS:
        losers.setdefault(_cell([one.lost for one in kills.of(g)], ""), []).append(f"V{g}")
    told = "; ".join(f"{lost} by {', '.join(names)}" for lost, names in losers.items())
    return (
        f"Units lost per kill, in {kills.times} kills: {told}. V1, V3 and V4 are killed after they "
        "took the unit and before they wrote or pushed the order, V2 before its transaction is "
        "committed, and V5 after its claim and before the answer."
    )


def _origin(kills: Kills) -> str:
    return f'Measured on {kills.date} with "{kills.command}", commit {kills.commit}.'


def _cell(values: Sequence[float | None], unit: str) -> str:
    known = [value for value in values if value is not None]
    if not known:
        return "–"
    middle = f"{_figure(statistics.median(known))}{unit}"
    if max(known) == min(known):
        return middle
    return f"{middle} ({_figure(min(known))} – {_figure(max(known))})"


def _figure(value: float) -> str:
    if value == int(value) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 1 else f"{value:.2g}"


def _ms(latency: Latency | None, percent: int) -> float | None:
    return None if latency is None else float(getattr(latency, f"p{percent}"))


def _seconds(latency: Latency | None, percent: int) -> float | None:
    milliseconds = _ms(latency, percent)
    return None if milliseconds is None else milliseconds / 1000
