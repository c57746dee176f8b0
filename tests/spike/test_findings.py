"""The findings after a spike."""

from dataclasses import replace

import pytest

from flashsale.usecases.books import Books
from flashsale_local.sale.answers import Kind
from loadtest.spike.outcome import Result, Summary, Threshold, findings

BEFORE = Books("p", (), 100, 100, 100, confirmed=0, cancelled=0)


def books(generation, stock, confirmed, cancelled=0):
    on_redis = generation > 2
    return Books(
        "p", (generation,), 100, stock if on_redis else None, 0 if on_redis else stock,
        confirmed, cancelled,
    )  # fmt: skip


def result(after, accepted=10, **more):
    outcomes = dict.fromkeys(Kind, 0) | {Kind.ACCEPTED: accepted, Kind.THROTTLED: 5}
    kept = (Threshold("p95 of accepted below 500 ms", 12.0, kept=True),)
    summary = Summary(1.0, outcomes, 0, {}, kept)
    return Result(summary, BEFORE, after, left=0, settling=0.0, **more)


@pytest.mark.parametrize("generation", [1, 2, 3, 4, 5])
def test_books_that_balance_are_fine(generation):
    assert findings(result(books(generation, stock=90, confirmed=10))) == []


@pytest.mark.parametrize("generation", [1, 2, 3, 4, 5])
@pytest.mark.parametrize(
    ("stock", "confirmed", "words"),
    [
        (0, 110, "10 units were sold beyond the stock"),
        (80, 10, "10 units are lost"),
        (95, 10, "5 units are sold and in stock at once"),
    ],
)
def test_unbalanced_units_are_a_finding_in_every_generation(generation, stock, confirmed, words):
    (finding,) = findings(result(books(generation, stock, confirmed)))

    assert words in finding


def test_a_missed_threshold_is_named_with_its_value():
    kept = result(books(5, 90, 10))
    threshold = Threshold("p95 of accepted below 500 ms", 512.3456, kept=False)
    missed = replace(kept, summary=replace(kept.summary, thresholds=(threshold,)))

    (finding,) = findings(missed)

    assert "p95 of accepted below 500 ms; it was 512.3" in finding


def test_accepted_purchases_without_an_order_are_found():
    (finding,) = findings(result(books(4, 90, 10), accepted=12))

    assert finding == "2 accepted purchases have no order."


def test_a_cancelled_order_is_an_order():
    assert findings(result(books(4, 92, 8, cancelled=2))) == []


def test_a_spike_that_sold_nothing_is_no_success():
    (finding,) = findings(result(books(5, 100, 0), accepted=0))

    assert "No purchase was accepted" in finding


@pytest.mark.parametrize(("unsent", "words"), [(1, ""), (400, "could not send 400 of 1400")])
def test_a_load_that_k6_could_not_send_is_found(unsent, words):
    kept = result(books(5, 90, 10))
    outcomes = {**kept.summary.outcomes, Kind.SOLD_OUT: 985}
    short = replace(kept, summary=replace(kept.summary, outcomes=outcomes, unsent=unsent))

    found = findings(short)

    assert [words in finding for finding in found] == ([True] if words else [])
    for way_out in ("28.6%", "SCALE", "MAX_VUS"):
        assert all(way_out in finding for finding in found)


def test_a_spike_that_sent_nothing_is_no_success():
    outcomes = dict.fromkeys(Kind, 0)
    idle = result(BEFORE)
    idle = replace(idle, summary=replace(idle.summary, outcomes=outcomes), before=BEFORE)

    assert any("sent no purchase at all" in finding for finding in findings(idle))


def test_units_still_on_their_way_are_found():
    (finding,) = findings(replace(result(books(5, 90, 10)), left=3))

    assert finding == "3 messages and claims are still on their way."
