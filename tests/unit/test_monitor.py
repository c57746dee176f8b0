"""What the live page says of a sale, read from its books."""

from dataclasses import replace

import pytest

from flashsale.books import Books
from flashsale.claims import Snapshot
from infra.answers import Kind
from infra.load import Answer
from infra.monitor.charts import CHARTS
from infra.monitor.reading import Reading, accepted
from infra.monitor.shop import Way
from infra.monitor.story import tell
from infra.monitor.verdict import Mood, judge
from infra.queues import Depth

NEW = Books("p", (), 60, 60, 60, 0, 0)
V1 = replace(NEW, generations=(1,), redis_stock=None, postgres_stock=0, confirmed=87)
V1_HALF = replace(NEW, generations=(1,), redis_stock=None, postgres_stock=50, confirmed=30)
V3_LOST = replace(NEW, generations=(3,), redis_stock=0, confirmed=36)
V4_DARK = replace(NEW, redis_stock=0, waiting=60)
V5 = replace(
    NEW, generations=(5,), redis_stock=20, confirmed=10,
    ledger=Snapshot(20, 30, 60, 40, 10, 0, 30),
)  # fmt: skip


def _reading(books, **more):
    return Reading(1.0, books, **more)


@pytest.mark.parametrize(
    ("books", "mood", "headline"),
    [
        (NEW, Mood.GOOD, "Every unit is accounted for"),
        (V1, Mood.BAD, "27 units oversold"),
        (V1_HALF, Mood.BAD, "20 units sold and still in stock"),
        (V3_LOST, Mood.BAD, "24 units lost"),
        (replace(V3_LOST, confirmed=59), Mood.BAD, "1 unit lost"),
        (V4_DARK, Mood.GOOD, "Every unit is accounted for"),
    ],
)
def test_a_sale_at_rest_is_judged(books, mood, headline):
    verdict = judge(_reading(books), _reading(books), busy=False)

    assert (verdict.mood, verdict.headline) == (mood, headline)


@pytest.mark.parametrize(
    ("books", "mood"),
    [(V1, Mood.BAD), (V3_LOST, Mood.UNKNOWN), (NEW, Mood.UNKNOWN), (V5, Mood.GOOD)],
)
def test_while_it_sells_only_what_cannot_change_and_v5_are_judged(books, mood):
    assert judge(_reading(books), _reading(books), busy=True).mood is mood
    assert judge(_reading(books), None, busy=False).mood is mood
    before = replace(books, cancelled=1)
    assert judge(_reading(books), _reading(before), busy=False).mood is mood


def test_the_sum_is_shown_and_what_is_out_of_date():
    now = _reading(V4_DARK, down=("PostgreSQL",))

    detail = judge(now, now, busy=False).detail

    assert detail.startswith("60 units = 0 in stock + 60 on the way + 0 confirmed.")
    assert "last known" in detail
    assert "60 units ≠ 0 in stock + 0 on the way + 36 confirmed" in (
        judge(_reading(V3_LOST), _reading(V3_LOST), busy=False).detail
    )


def test_without_books_nothing_is_claimed():
    verdict = judge(_reading(None, down=("Valkey",)), None, busy=False)

    assert verdict.mood is Mood.UNKNOWN
    assert verdict.detail == "Valkey does not answer."


@pytest.mark.parametrize(
    ("generation", "books", "up", "words"),
    [
        (1, V1, True, "27 too many were sold"),
        (1, replace(V1, confirmed=60), True, "nobody came between"),
        (2, replace(V1, generations=(2,), confirmed=60), True, "no unit sold twice"),
        (3, V3_LOST, False, "nobody gave the units back"),
        (3, replace(V3_LOST, confirmed=60), True, "Stop PostgreSQL and try again"),
        (4, V4_DARK, False, "60 units wait"),
        (2, NEW, False, "sells nothing"),
        (5, V5, True, "units still wait"),
    ],
)
def test_each_generations_spike_has_its_story(generation, books, up, words):
    answers = [Answer(Kind.ACCEPTED, 0.1)] * 2 + [Answer(Kind.FAILED, 2.0)]

    story = tell(Way(generation, "lambda"), answers, books, postgres_up=up)

    assert story.startswith(f"V{generation}: 3 buyers, 60 units, 2 sold, 1 got an error.")
    assert words in story


def test_what_buyers_took_is_read_from_the_store_that_sold_it():
    assert [accepted(books) for books in (NEW, V1, V3_LOST, V5)] == [0, 87, 60, 40]


def test_charts_say_their_last_figures_in_words():
    seen = _reading(V5, depths={"orders": Depth(2, 1, 0)}, latency_ms=(12.3, 80.0))

    words = [chart.in_words([_reading(NEW), seen]) for chart in CHARTS]

    assert words == [
        "Stock, units: in stock 20",
        "Orders, units: accepted 40, confirmed 10",
        "Queues, messages: orders 3, dlq unknown, parking unknown",
        "Latency of this page's buyers, ms: p50 12, p95 80",
    ]
    (stock,) = CHARTS[0].options([_reading(NEW), seen])["series"]
    assert stock["data"] == [[1000, 60], [1000, 20]]
