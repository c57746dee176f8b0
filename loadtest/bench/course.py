"""The lines of the report's charts. A line is broken (NaN) where there was no reading."""

import math

from loadtest.bench.results import Sale

# Seconds between two readings beyond which they are not joined. A reading is due every 0.5 s.
LONGEST = 2.0

Point = tuple[float, float]
BREAK: Point = (math.nan, math.nan)


def readings(sale: Sale, what: str) -> list[Point]:
    """Return what the stores held over time: `what` is stock, confirmed or queue.

    The line is broken where a store did not answer, where no reading was made for `LONGEST`
    seconds, and, for the orders, at an outage of PostgreSQL.
    """
    outage = sale.fault if what == "confirmed" else None
    points: list[Point] = []
    for watch in sale.watched:
        value, moment = getattr(watch, what), watch.moment_of(what)
        # A reading that began in the outage got its value from a server that stopped or started.
        if value is None or (outage and outage.begin < moment < outage.end):
            points.append(BREAK)
            continue
        before = points[-1][0] if points else math.nan
        if moment - before > LONGEST or (outage and before <= outage.begin < moment):
            points.append(BREAK)
        points.append((moment, float(value)))
    return points


def latency(sale: Sale) -> list[Point]:
    """Return p95 over time, broken where no request was answered."""
    steps = zip(_middles(sale, len(sale.timeline.p95)), sale.timeline.p95, strict=True)
    return [BREAK if p95 is None else (moment, p95) for moment, p95 in steps]


def accepted(sale: Sale) -> list[Point]:
    """Return the purchases that were accepted per second, at the moment of their answers."""
    return _rates(sale, sale.timeline.accepted_at or sale.timeline.accepted)


def failed(sale: Sale) -> list[Point]:
    """Return the purchases that failed per second, at the moment of their answers."""
    return _rates(sale, sale.timeline.failed_at or sale.timeline.failed)


def units_accepted(sale: Sale) -> list[Point]:
    """Return how many units buyers were told that they had bought, from the first on."""
    total, points = 0.0, []
    for moment, rate in accepted(sale):
        total += rate * sale.timeline.step
        points.append((moment, total))
    return points


def _rates(sale: Sale, rates: list[float]) -> list[Point]:
    return list(zip(_middles(sale, len(rates)), rates, strict=True))


def _middles(sale: Sale, count: int) -> list[float]:
    return [sale.timeline.step * (n + 0.5) for n in range(count)]
