"""What `flashsale model` says of a waiting room, against results computed by hand."""

import pytest

from flashsale_desk.scaling.rooms import CROWDS, poll_after, waiting


@pytest.mark.parametrize(
    ("people", "seconds"), [(1, 2), (4000, 2), (10_000, 5), (60_000, 30), (1_000_000, 30)]
)
def test_clients_poll_less_often_the_more_wait(pencil, people, seconds):
    assert poll_after(pencil, people) == seconds


def test_places_and_polls_of_a_crowd(pencil):
    # 10,000 x 100 bytes; each polls after 5 s; all join within 600 s
    found = waiting(pencil, 10_000)

    assert (found.megabytes, found.polls, found.joins) == (1, 2000, pytest.approx(10_000 / 600))


def test_the_origin_gets_a_poll_of_each_cache_a_second_at_most(pencil):
    # each of them renews one copy, by two commands
    found = [waiting(pencil, people) for people in (4, 10_000, 1_000_000)]

    assert [each.origin for each in found] == [2, 5, 5]
    assert [each.redis_commands for each in found] == [4, 10, 10]


def test_costs_of_the_polls_and_joins(pencil):
    # 2,000/s for 600 s are 1.2 million polls, each for 0.001 USD, and 1 KB for 1 USD a GB
    # a join: 2 USD of the API, 1 of logs, 1 of Lambda a million, and 1 / 0.5 + 4 = 6 ms of 1 GB
    found = waiting(pencil, 10_000)

    assert found.usd == pytest.approx(
        {
            "CloudFront, requests": 1200, "CloudFront, data": 1.2, "WAF": 1.2,
            "joins, HTTP API": 0.01 * (2 + 1 + 1 + 0.06),
        }
    )  # fmt: skip
    # without a cache each poll is such a call, which does not wait for Redis
    assert found.uncached == pytest.approx(1.2 * (2 + 1 + 1 + 0.02))


def test_more_people_never_cost_less(shipped):
    found = [sum(waiting(shipped, people).usd.values()) for people in CROWDS]

    assert found == sorted(found)
