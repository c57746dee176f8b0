"""What the live page says of a sale, read from its books."""

import re
from dataclasses import replace
from types import SimpleNamespace

import pytest

from flashsale.domain.claims import Snapshot
from flashsale.domain.waiting import NOTHING
from flashsale.errors import StockUnavailable
from flashsale.usecases.books import Books
from flashsale_local.live_page import reading
from flashsale_local.live_page.charts import CHARTS
from flashsale_local.live_page.figures import figures
from flashsale_local.live_page.reading import Reading, _without_postgres, read
from flashsale_local.live_page.shop import Way
from flashsale_local.live_page.summary import tell
from flashsale_local.live_page.verdict import Mood, judge
from flashsale_local.sale.answers import AnswerKind
from flashsale_local.sale.load import Answer
from flashsale_server.queues.depths import Depth
from flashsale_server.queues.inspection import InQueues

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


def _judge(now, before, *, buying=False, queued=False, age=0.0):
    return judge(now, before, buying=buying, queued=queued, age=age)


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
    verdict = _judge(_reading(books), _reading(books))

    assert (verdict.mood, verdict.headline) == (mood, headline)


@pytest.mark.parametrize(
    ("books", "mood"),
    [(V1, Mood.BAD), (V3_LOST, Mood.UNKNOWN), (NEW, Mood.UNKNOWN), (V5, Mood.GOOD)],
)
def test_while_it_sells_only_what_cannot_change_and_v5_are_judged(books, mood):
    assert _judge(_reading(books), _reading(books), buying=True).mood is mood
    assert _judge(_reading(books), None).mood is mood
    before = replace(books, cancelled=1)
    assert _judge(_reading(books), _reading(before)).mood is mood


def test_the_sum_is_shown_and_what_is_out_of_date():
    now = _reading(V4_DARK, down=("PostgreSQL",))

    detail = _judge(now, now).detail

    assert detail.startswith("60 units = 0 in stock + 60 on the way + 0 confirmed.")
    assert "last known" in detail
    assert "60 units ≠ 0 in stock + 0 on the way + 36 confirmed" in (
        _judge(_reading(V3_LOST), _reading(V3_LOST)).detail
    )


def test_without_postgres_v4s_last_orders_may_be_written_and_v3s_are_lost():
    dark = _reading(replace(NEW, redis_stock=20, confirmed=37), down=("PostgreSQL",))

    v4, v3 = (_judge(dark, dark, queued=queued) for queued in (True, False))

    assert v4.mood is Mood.BLIND
    assert "PostgreSQL's last orders were not seen" in v4.detail
    assert (v3.mood, v3.headline) == (Mood.BAD, "3 units lost")


def test_a_green_headline_stands_over_a_sum_that_is_right():
    # Of 30 claims that are on the way, 5 are in PostgreSQL already and not settled yet.
    ahead = _reading(replace(V5, confirmed=15))

    verdict = _judge(ahead, None, buying=True, queued=True)

    assert verdict.mood is Mood.GOOD
    assert verdict.detail == "60 units = 20 in stock + 30 on the way + 10 confirmed."


async def test_in_an_outage_v5_counts_what_was_settled_since_and_what_was_sold_before_its_ledger():
    again = replace(NEW, generations=(5,), redis_stock=40, confirmed=20, ledger=V5.ledger)
    now = Snapshot(35, 0, 40, 5, 5, 0, 0)  # stock, unsettled, initial, accepted, settled

    async def snapshot(product_id, *, count_claims):
        return now

    services = SimpleNamespace(ledger=SimpleNamespace(snapshot=snapshot))

    books = await _without_postgres(services, again, NOTHING)

    assert books.confirmed == 25
    assert _judge(_reading(books), _reading(books)).mood is Mood.GOOD


def test_an_old_reading_says_nothing_of_now():
    assert _judge(_reading(V5), _reading(V5), age=9).mood is Mood.GOOD

    verdict = _judge(_reading(V5), _reading(V5), age=11)

    assert (verdict.mood, verdict.detail) == (Mood.BLIND, "The last look was 11 s ago.")


def test_what_is_parked_is_in_the_sum_and_not_green():
    parked = replace(NEW, generations=(4,), redis_stock=50, confirmed=7, in_parking=2, waiting=1)

    verdict = _judge(_reading(parked), _reading(parked))

    assert (verdict.mood, verdict.headline) == (Mood.UNKNOWN, "2 units parked")
    assert verdict.detail.startswith(
        "60 units = 50 in stock + 1 on the way + 2 parked + 7 confirmed."
    )
    before = replace(parked, in_parking=0, waiting=3)
    assert _judge(_reading(parked), _reading(before)).headline == "Selling", "it is parked now"


def test_without_books_nothing_is_claimed():
    verdict = _judge(_reading(None), None)

    assert (verdict.mood, verdict.detail) == (Mood.UNKNOWN, "There is no sale yet.")


@pytest.mark.parametrize(
    ("down", "headline"),
    [
        (("Redis",), "Redis does not answer"),
        (("PostgreSQL",), "PostgreSQL does not answer"),
        (("Redis", "PostgreSQL"), "Redis and PostgreSQL do not answer"),
    ],
)
def test_a_store_that_does_not_answer_is_said_loudly(down, headline):
    verdict = _judge(_reading(None, down=down), _reading(V5))

    assert (verdict.mood, verdict.headline) == (Mood.BLIND, headline)
    assert verdict.detail.startswith("Nobody can say where the units are.")


def test_v2s_units_are_all_in_postgresql_and_unknown_without_it():
    v2 = replace(NEW, generations=(2,), redis_stock=None, postgres_stock=20, confirmed=40)
    dark = _reading(v2, down=("PostgreSQL",))

    verdict = _judge(dark, dark)

    assert (verdict.mood, verdict.headline) == (Mood.BLIND, "PostgreSQL does not answer")
    assert "60 units = 20 in stock + 0 on the way + 40 confirmed" in verdict.detail


async def test_both_stores_that_do_not_answer_are_named(monkeypatch):
    async def down(product_id, *, count_claims):
        raise StockUnavailable("closed")

    monkeypatch.setattr(reading, "look_into_queues", lambda *_, **__: InQueues({}, []))
    services = SimpleNamespace(ledger=SimpleNamespace(snapshot=down))

    seen = await read(None, services, None, "p", V5, postgres_up=False)

    assert (seen.books, seen.down) == (None, ("Redis", "PostgreSQL"))


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
    answers = [Answer(AnswerKind.ACCEPTED, 0.1)] * 2 + [Answer(AnswerKind.FAILED, 2.0)]

    story = tell(Way(generation, "lambda"), answers, books, postgres_up=up)

    assert story.startswith(f"V{generation}: 3 buyers, 60 units, 2 sold, 1 got an error.")
    assert words in story


def test_what_buyers_took_is_read_from_the_store_that_sold_it():
    taken = [figures(books, rests=True).taken for books in (NEW, V1, V3_LOST, V5)]

    assert taken == [0, 87, 60, 40]


# Of each: Redis was read, then orders were confirmed, then PostgreSQL was read.
AHEAD = {
    "V3": replace(NEW, generations=(3,), redis_stock=50, confirmed=14),
    "V4": replace(NEW, generations=(4,), redis_stock=50, confirmed=14, waiting=9),
    "V5": replace(V5, confirmed=45),
}


@pytest.mark.parametrize("books", AHEAD.values(), ids=AHEAD)
def test_in_mid_spike_no_more_are_confirmed_than_were_taken(books):
    units = _reading(books).figures

    assert units.confirmed <= units.taken == units.initial - units.stock


@pytest.mark.parametrize("rests", [True, False])
@pytest.mark.parametrize(
    "books", [NEW, V1, V1_HALF, V3_LOST, V4_DARK, V5, *AHEAD.values()], ids=str
)
def test_charts_and_sentence_have_the_same_figures(books, rests):
    seen = _reading(books, rests=rests)
    before = seen if rests else None

    detail = _judge(seen, before).detail
    (stock, *_), (taken, confirmed) = (
        [line["data"][-1][1] for line in chart.options([seen])["series"]] for chart in CHARTS[:2]
    )

    if said := re.search(r"(\d+) units . (\d+) in stock .* \+ (\d+) confirmed", detail):
        assert (books.initial, stock, confirmed) == tuple(int(figure) for figure in said.groups())
    else:
        assert detail.startswith((f"{stock} of {books.initial} units left", f"{confirmed} orders"))
    assert taken >= confirmed or "sold and still in stock" in _judge(seen, before).headline


def test_units_that_v3_lost_are_explained():
    lost = replace(NEW, generations=(3,), redis_stock=36)
    seen = _reading(lost, rests=True, down=("PostgreSQL",))

    verdict = _judge(seen, seen)

    assert verdict.headline == "24 units lost"
    assert verdict.detail.startswith("Taken from the stock, and in no order: 24 units.")
    assert CHARTS[1].in_words([seen]) == "Orders, units: taken from stock 24, confirmed 0"


def test_charts_say_their_last_figures_in_words():
    seen = _reading(V5, depths={"orders": Depth(2, 1, 0)}, latency_ms=(12.3, 80.0))

    words = [chart.in_words([_reading(NEW), seen]) for chart in CHARTS]

    assert words == [
        "Stock, units: in stock 20",
        "Orders, units: taken from stock 40, confirmed 10",
        "Queues, messages: orders 3, dlq unknown, parking unknown",
        "Latency of this page's buyers, ms: p50 12, p95 80",
    ]
    (stock,) = CHARTS[0].options([_reading(NEW), seen])["series"]
    assert stock["data"] == [[1000, 60], [1000, 20]]


def test_lines_are_told_apart_without_colours():
    for chart in CHARTS:
        lines = [line["lineStyle"]["type"] for line in chart.options([])["series"]]
        assert len(set(lines)) == len(chart.series)
