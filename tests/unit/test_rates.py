"""Rates from counters are never negative, and unknown after a gap or a reset."""

from loadtest.cpu import spent
from loadtest.spike.view import Speed, _figure, _shown


def test_a_rate_is_the_growth_since_the_last_reading():
    speed = Speed(10.0)

    assert speed.per_second(50.0, 10.5) == 100
    assert speed.per_second(50.0, 11.0) == 0


def test_the_rate_of_k6_ends_with_it_and_is_never_negative():
    speed = Speed(0.0)
    speed.per_second(62_605.0, 1.0)

    gone = _figure({}, "http_reqs", "count")

    assert speed.per_second(gone, 2.0) is None
    assert _shown(None) == "–"
    assert speed.per_second(62_705.0, 3.0) == 50, (
        "the rate over two seconds, because one reading is missing"
    )


def test_a_counter_after_a_reset_has_no_rate_until_the_next_reading():
    speed = Speed(0.0)
    speed.per_second(1000.0, 1.0)

    assert speed.per_second(10.0, 2.0) is None
    assert speed.per_second(30.0, 3.0) == 20


def test_two_readings_of_one_instant_have_no_rate():
    assert Speed(1.0).per_second(5.0, 1.0) is None


def test_before_the_first_answer_the_rate_of_k6_is_zero():
    assert _figure({"vus": {"value": 1}}, "http_reqs", "count") == 0


def test_the_cpu_time_of_a_restarted_server_counts_from_its_start():
    assert spent({"edge": 9.0, "relay": 1.0}, {"edge": 2.0, "relay": 1.5, "new": 0.5}) == {
        "edge": 2.0, "relay": 0.5, "new": 0.5
    }  # fmt: skip
