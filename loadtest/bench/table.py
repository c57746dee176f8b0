"""The tables of the report, with a row for each figure and a column for each generation."""

from collections.abc import Callable

from loadtest.bench.cells import Row, Table, cell
from loadtest.bench.kills_table import kills_table, lost_row
from loadtest.bench.results import GENERATIONS, Latency, Results, Sale

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
        made.append(kills_table(results.kills, results.about))
    return made


class Rows:
    """The repeats of one kind of sale, by generation."""

    def __init__(self, results: Results, kind: str, edge: str) -> None:
        self.sales = [results.of(kind, edge, generation) for generation in GENERATIONS]

    def row(
        self, name: str, figure: Callable[[Sale], float | None], unit: str = "", original: str = ""
    ) -> Row:
        """Make a row with the median of the repeats of each generation."""
        cells = [cell([figure(sale) for sale in sales], unit) for sales in self.sales]
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
            *([lost_row(results.kills)] if results.kills else []),
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


def _ms(latency: Latency | None, percent: int) -> float | None:
    return None if latency is None else float(getattr(latency, f"p{percent}"))


def _seconds(latency: Latency | None, percent: int) -> float | None:
    milliseconds = _ms(latency, percent)
    return None if milliseconds is None else milliseconds / 1000
