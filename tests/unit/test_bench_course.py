"""The lines of the report's charts: broken where nothing was read, and at the right moment."""

import math

import pytest

from flashsale_local.sale.answers import AnswerKind
from loadtest.bench import course, pictures
from loadtest.bench.results import About, Fault, Results, Sale, Timeline, Watch
from loadtest.bench.sale import _timeline
from loadtest.profiles import Profile
from loadtest.samples import Sample

OUTAGE = Fault(name="PostgreSQL is down", begin=2.0, end=3.0)


def sale(watched=(), timeline=None, fault=None, **more):
    figures = dict.fromkeys(
        ["offered", "accepted", "sold_out", "throttled", "refused", "failed", "dropped",
         "server_errors", "database_errors", "confirmed", "cancelled", "oversold", "lost",
         "imbalance", "repeat"], 0,
    ) | {
        "generation": 4, "edge": "asgi", "kind": "outage", "units": 10, "seconds": 6.0,
        "answers": None, "acceptance": None, "confirmation": None, "quantiles": [],
        "drain": 0.0, "drain_rate": None, "broken": False,
        "timeline": timeline or Timeline(step=1.0), "watched": list(watched), "fault": fault,
    }  # fmt: skip
    return Sale(**{**figures, **more})


def watch(seconds, confirmed=None, queue=0, postgres_seconds=None):
    return Watch(
        seconds=seconds, confirmed=confirmed, queue=queue, postgres_seconds=postgres_seconds
    )


def shown(points):
    """Return the points with None for a break."""
    return [None if math.isnan(y) else (x, y) for x, y in points]


def test_the_line_is_broken_where_a_store_did_not_answer():
    seen = [watch(0.5, 1), watch(1.0), watch(1.5, 3)]

    assert shown(course.readings(sale(seen), "confirmed")) == [(0.5, 1), None, (1.5, 3)]
    assert shown(course.readings(sale(seen), "queue")) == [(0.5, 0), (1.0, 0), (1.5, 0)]


def test_the_line_is_broken_where_no_reading_was_made_for_long():
    seen = [watch(0.5, queue=1), watch(2.5, queue=2), watch(4.6, queue=3)]

    assert shown(course.readings(sale(seen), "queue")) == [(0.5, 1), (2.5, 2), None, (4.6, 3)]


@pytest.mark.parametrize(
    "between",
    [[], [watch(2.5)], [watch(2.0001, 7)], [watch(2.9, 9)]],
    ids=["no reading", "a failed reading", "as it stops", "as it starts"],
)
def test_no_line_of_orders_leads_through_an_outage(between):
    seen = [watch(0.5, 1), watch(1.9, 7), *between, watch(3.1, 9), watch(3.5, 10)]

    points = shown(course.readings(sale(seen, fault=OUTAGE), "confirmed"))

    before, after = points.index((1.9, 7)), points.index((3.1, 9))
    assert points[before + 1 : after] == [None] * max(1, len(between))
    assert points[after:] == [(3.1, 9), (3.5, 10)]


def test_an_outage_of_postgresql_does_not_break_the_line_of_the_queue():
    seen = [watch(1.9, 7, queue=1), watch(3.0, queue=5), watch(4.1, 9, queue=7)]

    points = course.readings(sale(seen, fault=OUTAGE), "queue")

    assert shown(points) == [(1.9, 1), (3.0, 5), (4.1, 7)]


def test_orders_are_drawn_when_postgresql_answered():
    """A reading that began in the outage waits until PostgreSQL is back."""
    seen = [watch(1.5, 7, postgres_seconds=1.6), watch(2.9, 9, postgres_seconds=3.4)]

    points = shown(course.readings(sale(seen, fault=OUTAGE), "confirmed"))

    assert points == [(1.6, 7), None, (3.4, 9)]


def test_latency_is_broken_where_no_request_was_answered():
    timeline = Timeline(step=2.0, p95=[10.0, None, 0.0])

    assert shown(course.latency(sale(timeline=timeline))) == [(1.0, 10.0), None, (5.0, 0.0)]


def test_a_purchase_counts_at_the_moment_of_its_answer():
    """One that was due in an outage and waited until its end was not accepted in the outage."""
    accepted, failed = AnswerKind.ACCEPTED, AnswerKind.FAILED
    samples = [
        Sample(0.5, 0.1, 202, accepted),
        Sample(2.5, 0.2, 503, failed),
        Sample(3.5, 1.0, 202, accepted),
        Sample(3.9, 10.0, 0, failed),
    ]
    due = [sample.due for sample in samples]

    held = sale(timeline=_timeline(Profile(1.0, ((44.0, 1.0),)), due, samples))

    assert [x for x, rate in course.accepted(held) if rate] == [0.5, 4.5]
    assert [x for x, rate in course.failed(held) if rate] == [2.5, 13.5]
    assert [y for _, y in course.units_accepted(held)][3:5] == [1, 2]


def test_the_chart_of_the_outage_gets_the_broken_line():
    seen = [watch(1.0, 5), watch(2.5), watch(4.5, 9)]
    about = About(
        commit="abc", date="", machine="", versions={}, command="make bench", repeats=1,
        seconds=6, visibility_timeout=6,
    )  # fmt: skip
    timeline = Timeline(
        step=1.0, offered=[1] * 3, accepted=[1] * 3, failed=[0] * 3,
        accepted_at=[1, 1, 1, 1], failed_at=[0, 0, 0, 0],
    )  # fmt: skip
    results = Results(about=about, sales=[sale(seen, timeline, OUTAGE)])

    figure = pictures._outage(results)

    above, below = figure.axes
    (line,) = below.lines
    assert [math.isnan(y) for y in line.get_ydata()] == [False, True, False]
    assert len(above.lines[0].get_xdata()) == 4
    assert "at the moment of its answer" in pictures._of_outage(results)
