"""The charts and texts of the live page show the same figures as its verdict."""

import re
from dataclasses import replace

import pytest

from flashsale_local.live_page.charts import CHARTS, ORDERS, STOCK
from flashsale_local.live_page.figures import figures
from flashsale_local.live_page.shop import Channel
from flashsale_local.live_page.summary import summarize
from flashsale_local.live_page.verdict import Status
from flashsale_local.sale.answers import AnswerKind
from flashsale_local.sale.load import Answer
from flashsale_server.queues.depths import Depth
from tests.unit.live_page_books import (
    HELD,
    NEW,
    V1,
    V1_HALF,
    V3_LOST,
    V4_DARK,
    V5,
    reading_of,
    verdict_on,
)


@pytest.mark.parametrize(
    ("generation", "books", "up", "words"),
    [
        (1, V1, True, "27 too many were sold"),
        (1, replace(V1, confirmed=60), True, "No two buyers collided"),
        (2, replace(V1, generations=(2,), confirmed=60), True, "No unit was sold twice"),
        (3, V3_LOST, False, "nothing returned these units"),
        (3, replace(V3_LOST, confirmed=60), True, "Stop PostgreSQL and try again"),
        (4, V4_DARK, False, "60 units wait"),
        (2, NEW, False, "sells nothing"),
        (5, V5, True, "units still wait"),
    ],
)
def test_each_generations_spike_has_its_summary(generation, books, up, words):
    answers = [Answer(AnswerKind.ACCEPTED, 0.1)] * 2 + [
        Answer(AnswerKind.FAILED, 2.0, detail="503 busy")
    ]

    summary = summarize(Channel(generation, "lambda"), answers, books, postgres_up=up)

    counts = f"V{generation}: 3 buyers, 60 units, 2 sold, 1 got an error, such as '503 busy'."
    assert summary.startswith(counts)
    assert words in summary


def test_taken_units_are_read_from_the_store_that_sold_them():
    taken = [figures(books, at_rest=True).taken for books in (NEW, V1, V3_LOST, V5, HELD)]

    assert taken == [0, 87, 60, 40, 40]


# In each, orders were confirmed after Redis and before PostgreSQL was read.
AHEAD = {
    "V3": replace(NEW, generations=(3,), redis_stock=50, confirmed=14),
    "V4": replace(NEW, generations=(4,), redis_stock=50, confirmed=14, waiting=9),
    "V5": replace(V5, confirmed=45),
    "V5 with a hold": replace(HELD, reserved=27, confirmed=13),
}


@pytest.mark.parametrize("books", AHEAD.values(), ids=AHEAD)
def test_during_a_spike_no_more_units_are_confirmed_than_taken(books):
    units = reading_of(books).figures

    assert units.confirmed <= units.taken == units.initial - units.stock


@pytest.mark.parametrize("at_rest", [True, False])
@pytest.mark.parametrize(
    "books", [NEW, V1, V1_HALF, V3_LOST, V4_DARK, V5, HELD, *AHEAD.values()], ids=str
)
def test_charts_and_verdict_show_the_same_figures(books, at_rest):
    seen = reading_of(books, at_rest=at_rest)
    before = seen if at_rest else None

    detail = verdict_on(seen, before).detail
    (stock, held), (taken, confirmed, supply) = (
        [line["data"][-1][1] for line in chart.options([seen])["series"]]
        for chart in (STOCK, ORDERS)
    )

    sum_ = r"(\d+) units . (\d+) in stock .*?(?: \+ (\d+) held until paid)? \+ (\d+) confirmed"
    if shown := re.search(sum_, detail):
        figures_shown = tuple(int(figure or 0) for figure in shown.groups())
        assert (books.initial, stock, held, confirmed) == figures_shown
    else:
        assert detail.startswith((f"{stock} of {books.initial} units left", f"{confirmed} orders"))
    assert supply == books.initial
    assert taken >= confirmed or "sold and still in stock" in verdict_on(seen, before).headline


def test_units_that_v3_lost_are_explained():
    lost = replace(NEW, generations=(3,), redis_stock=36)
    seen = reading_of(lost, at_rest=True, down=("PostgreSQL",), queued=False)

    verdict = verdict_on(seen, seen)

    assert verdict.headline == "24 units lost"
    assert verdict.detail.startswith("24 units left the stock without an order.")
    assert ORDERS.as_text([seen]) == "Orders, units: taken 24, confirmed 0, supply 60"


def test_charts_give_their_last_figures_as_text():
    seen = reading_of(V5, depths={"orders": Depth(2, 1, 0)}, latency_ms=(12.3, 80.0))

    texts = [chart.as_text([reading_of(NEW), seen]) for chart in (ORDERS, STOCK, *CHARTS)]

    assert texts == [
        "Orders, units: taken 40, confirmed 10, supply 60",
        "Stock, units: in stock 20, held until paid 0",
        "Queues, messages: orders 3, dlq unknown, parking unknown",
        "Latency of this page's buyers, ms: p50 12, p95 80",
    ]
    stock, _ = STOCK.options([reading_of(NEW), seen])["series"]
    assert stock["data"] == [[1000, 60], [1000, 20]]


def test_lines_differ_without_colours():
    for chart in (ORDERS, STOCK, *CHARTS):
        lines = [line["lineStyle"]["type"] for line in chart.options([])["series"]]
        assert len(set(lines)) == len(chart.series)


def test_where_the_verdict_does_not_know_the_line_has_a_gap():
    down = ("PostgreSQL",)
    v2 = replace(NEW, generations=(2,), redis_stock=None, postgres_stock=20, confirmed=40)
    v4 = replace(NEW, generations=(4,), redis_stock=20, confirmed=37)

    assert verdict_on(reading_of(v2, down=down), reading_of(v2)).status is Status.NO_ANSWER
    assert ORDERS.as_text([reading_of(v2, down=down)]) == (
        "Orders, units: taken unknown, confirmed unknown, supply unknown"
    )
    dark = reading_of(v4, down=down)
    assert verdict_on(dark, dark, queued=True).status is Status.NO_ANSWER
    assert ORDERS.as_text([dark]) == "Orders, units: taken 40, confirmed unknown, supply 60"
    for chart in (ORDERS, STOCK, *CHARTS):
        assert not any(line["connectNulls"] for line in chart.options([dark])["series"])
