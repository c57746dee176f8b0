"""Rates out of counters: never negative, and unknown where a counter was not seen or began anew."""

from loadtest.cpu import spent
from loadtest.spike.view import Speed, _figure, _shown


def test_a_rate_is_the_growth_since_the_last_look():
    speed = Speed(10.0)

    assert speed.per_second(50.0, 10.5) == 100
    assert speed.per_second(50.0, 11.0) == 0


def test_k6_that_has_ended_has_no_rate_and_never_a_negative_one():
    speed = Speed(0.0)
    speed.per_second(62_605.0, 1.0)

    gone = _figure({}, "http_reqs", "count")

    assert speed.per_second(gone, 2.0) is None
    assert _shown(None) == "–"
    assert speed.per_second(62_705.0, 3.0) == 50, "over both seconds: the one between was not seen"


def test_a_counter_that_began_anew_has_no_rate_until_the_next_look():
    speed = Speed(0.0)
    speed.per_second(1000.0, 1.0)

    assert speed.per_second(10.0, 2.0) is None
    assert speed.per_second(30.0, 3.0) == 20


def test_two_looks_at_one_instant_have_no_rate():
    assert Speed(1.0).per_second(5.0, 1.0) is None


def test_before_its_first_answer_k6_has_answered_nothing_yet():
    assert _figure({"vus": {"value": 1}}, "http_reqs", "count") == 0


def test_a_server_that_started_anew_has_worked_since_then():
    assert spent({"edge": 9.0, "relay": 1.0}, {"edge": 2.0, "relay": 1.5, "new": 0.5}) == {
        "edge": 2.0, "relay": 0.5, "new": 0.5
    }  # fmt: skip
