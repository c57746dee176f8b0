"""Capacity that `flashsale model` predicts for a rate, against results computed by hand."""

import pytest

from flashsale_desk.scaling import rates
from flashsale_desk.scaling.inputs import load
from tests.unit.scaling.figures import MANY_RATES, ROUND


def test_a_function_is_as_fast_as_its_share_of_a_vcpu(pencil):
    assert rates.buy_seconds(pencil, 5) == pytest.approx(0.010)
    assert rates.buy_seconds(pencil, 4) == pytest.approx(0.020)


def test_memory_beyond_one_vcpu_makes_one_thread_no_faster():
    big = load(overrides=ROUND | {"function_mb": 4096})

    assert rates.buy_seconds(big, 5) == pytest.approx(0.003 + 0.004)


def test_long_invocations_need_rate_times_duration_environments():
    slow = load(overrides=ROUND | {"valkey_wait": 494})  # 6 + 494 = 500 ms

    # 200/s x 0.5 s = 100, and one environment that relays
    assert rates.environments(slow, 200, 5) == 101


def test_an_environment_serves_no_more_than_ten_requests_a_second(pencil):
    # Little's law alone: 1,000/s x 0.01 s = 10 environments. AWS: 1,000 / 10 = 100.
    assert rates.environments(pencil, 1000, 4) == 100
    assert rates.environments(pencil, 1000, 5) == 100 + 1


def test_scaling_beyond_the_burst_takes_ten_seconds_per_thousand(pencil):
    assert rates.scaling_seconds(pencil, 1000) == 0
    assert rates.scaling_seconds(pencil, 2000) == 10
    assert rates.scaling_seconds(pencil, 4500) == 35


def test_relay_calls_depend_on_purchases_then_pace_then_full_calls(pencil):
    # a call has at most 10 x 200 = 2,000 claims
    assert rates.relay_calls(pencil, 2, pace=5) == 2
    assert rates.relay_calls(pencil, 300, pace=5) == 5
    assert rates.relay_calls(pencil, 20_000, pace=5) == 10


def test_relay_calls_match_the_measurements(shipped):
    # docs/benchmarks.md: 0.008 calls an order at 1,000/s, 0.030 at 300/s
    measured = shipped.measured.relay_calls_asgi

    assert rates.relay_calls(shipped, 1000, measured) / 1000 == pytest.approx(0.008, abs=0.0015)
    assert rates.relay_calls(shipped, 300, measured) / 300 == pytest.approx(0.030, abs=0.0005)


def test_tasks_shards_and_backlog(pencil):
    # 5,000/s x 1 ms / 0.5 = 10 vCPUs = 5 tasks; a shard takes 2,000 x 0.5 = 1,000/s;
    # PostgreSQL writes 1,000/s of 5,000: after 60 s 4,000 x 60 wait
    found = rates.needs(pencil, 5000)

    assert (found.tasks, found.shards, found.backlog) == (5, 5, 240_000)
    # 5 environments of order, 2 ms an order: 2,500/s
    assert rates.order_limit(pencil) == pytest.approx(2500)


def test_ceilings_are_sorted_and_leave_room_for_the_other_functions(pencil):
    found = rates.ceilings(pencil)

    assert found == sorted(found)
    # (1,000 - 5 order - 5 rollback - 5 payment - 1 that relays) x 10/s
    assert (9840, "account concurrency (Lambda edge)") in [(round(r), what) for r, what in found]


@pytest.mark.parametrize("field", ["environments_v4", "environments_v5", "tasks", "shards",
                                   "scaling_seconds", "sends_v5_lambda", "sends_v5_asgi",
                                   "connections_v2_v3", "backlog"])  # fmt: skip
def test_a_higher_rate_never_needs_less(shipped, field):
    found = [getattr(rates.needs(shipped, rate), field) for rate in MANY_RATES]

    assert found == sorted(found)
