"""What the live page keeps of its readings, which sales it follows, and its scoreboard."""

from dataclasses import replace

import pytest

from flashsale_local.live_page.following import Following
from flashsale_local.live_page.history import GAP, History
from flashsale_local.live_page.reading import Reading
from flashsale_local.live_page.scoreboard import Scoreboard
from flashsale_local.sale.answers import AnswerKind
from flashsale_local.sale.load import Answer
from tests.unit.live_page_books import HELD, NEW, V1, V3_LOST, V5


def read_at(at, books, looked_at=0.0, **more):
    return Reading(at, books, looked_at=looked_at, **more)


@pytest.fixture
def history():
    return History()


def test_readings_that_show_the_same_are_kept_as_two(history):
    for tenth in range(10):
        history.add(read_at(tenth / 10, V5), buying=True)

    assert [seen.at for seen in history.readings] == [0.0, 0.9]


def test_each_reading_of_a_moving_sale_is_kept(history):
    for sold in range(10):
        history.add(read_at(sold / 10, replace(NEW, redis_stock=60 - sold)), buying=True)

    assert [seen.figures.taken for seen in history.readings] == list(range(10))


def test_a_time_without_readings_is_a_gap(history):
    history.add(read_at(0.0, V5), buying=False)
    history.add(read_at(GAP + 1, V5), buying=False)

    assert [seen.figures is None for seen in history.readings] == [False, True, False]


def test_a_sale_is_at_rest_only_after_another_look_into_the_queues(history):
    history.add(read_at(1.0, V3_LOST, looked_at=0.5), buying=False)
    history.add(read_at(1.1, V3_LOST, looked_at=0.9), buying=False)
    assert not history.last.at_rest

    history.add(read_at(1.6, V3_LOST, looked_at=1.2), buying=False)
    assert history.last.at_rest

    history.add(read_at(1.7, replace(V3_LOST, confirmed=37), looked_at=1.2), buying=False)
    assert not history.last.at_rest


def test_a_sale_that_another_opens_is_followed_once():
    following = Following()
    assert following.newest(["old"], ["old"]) == ""

    assert following.newest(["old", "new"], ["new", "old"]) == "new"
    assert following.newest(["old", "new"], ["new", "old"]) == ""


def test_sales_that_this_page_opens_in_advance_are_not_followed():
    following = Following()
    following.newest([], [])
    following.opened_here.add("reserve")

    assert following.newest(["reserve"], ["reserve"]) == ""


def test_nothing_is_followed_while_it_is_turned_off():
    following = Following()
    following.newest([], [])
    following.on = False

    assert following.newest(["missed"], ["missed"]) == ""
    following.on = True
    assert following.newest(["missed", "new"], ["new", "missed"]) == "new"


def test_the_scoreboard_shows_what_became_of_each_generation():
    board = Scoreboard()
    for seconds in (0.1, 0.2):
        board.add_answer("v1", Answer(AnswerKind.ACCEPTED, seconds))
    board.add_answer("v1", Answer(AnswerKind.FAILED, 2.0))
    for at in (1.0, 2.0):
        board.add("V1", "v1", read_at(at, replace(V1, product_id="v1"), at))
        board.add("V3", "v3", read_at(at, replace(V3_LOST, product_id="v3"), at))
    board.add("V2", "unsold", read_at(1.0, replace(NEW, product_id="unsold")))

    scores = board.scores

    assert scores.keys() == {"V1", "V3"}
    v1, v3 = scores["V1"], scores["V3"]
    assert (v1.sold, v1.oversold, v1.lost, v1.errors) == (87, 27, 0, 1)
    assert v1.p95_ms > 1000
    assert (v3.sold, v3.oversold, v3.lost, v3.errors, v3.p95_ms) == (36, 0, 24, None, None)


def test_a_sale_on_the_scoreboard_is_read_until_it_is_settled():
    board = Scoreboard()
    board.add("V3", "p", read_at(1.0, V3_LOST))
    assert board.scores["V3"].lost is None
    assert board.unsettled == ["p"]

    board.add("V3", "p", read_at(2.0, V3_LOST, looked_at=1.5))

    assert board.scores["V3"].lost == 24
    assert board.unsettled == []


def test_a_sale_with_held_units_is_read_until_they_are_paid_or_expired():
    board, still = Scoreboard(), replace(HELD.ledger, stock=25, unsettled=0)
    held = replace(HELD, redis_stock=25, ledger=still)
    for at in (1.0, 2.0):
        board.add("V5", "p", read_at(at, held, looked_at=at))
    assert (board.scores["V5"].sold, board.unsettled) == (35, ["p"])

    paid = replace(held, reserved=0, confirmed=35, ledger=replace(still, held=0, settled=35))
    for at in (3.0, 4.0):
        board.add("V5", "p", read_at(at, paid, looked_at=at))

    assert (board.scores["V5"].sold, board.unsettled) == (35, [])


def test_an_outage_hides_no_result_that_is_known():
    board = Scoreboard()
    v2 = replace(NEW, generations=(2,), redis_stock=None, postgres_stock=0, confirmed=60)
    for at in (1.0, 2.0):
        board.add("V2", "p", read_at(at, v2, looked_at=at))
    board.add("V2", "p", read_at(3.0, v2, looked_at=3.0, down=("PostgreSQL",)))

    assert board.scores["V2"].lost == 0


def test_a_new_sale_replaces_the_last_one_of_its_generation():
    board = Scoreboard()
    for product_id in ("first", "second"):
        board.add("V5", product_id, read_at(1.0, replace(V5, product_id=product_id)))

    assert board.scores["V5"].product_id == "second"
    assert board.unsettled == ["second"]
