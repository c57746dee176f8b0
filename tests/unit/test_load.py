"""What the load clients share: load profiles and the meaning of answers."""

import json
from itertools import pairwise

import pytest

from flashsale_local.sale.answers import Kind, classify
from loadtest.profiles import PROFILES, Profile


def test_the_spike_matches_the_original():
    profile = Profile.named("spike")

    assert (profile.seconds, profile.peak) == (55, 1000)
    assert [profile.rate_at(moment) for moment in (0, 5, 10, 15, 40, 50, 55)] == [
        50, 300, 650, 1000, 1000, 100, 0,
    ]  # fmt: skip


@pytest.mark.parametrize("name", json.loads(PROFILES.read_text()))
def test_arrivals_follow_the_rate(name):
    profile = Profile.named(name)

    due = list(profile.arrivals())

    expected = sum(
        profile.rate_at(second / 100) / 100 for second in range(int(profile.seconds * 100))
    )
    assert len(due) == pytest.approx(expected, rel=0.01)
    assert all(before <= after for before, after in pairwise(due))
    second = profile.seconds / 3
    arrived = sum(second <= moment < second + 1 for moment in due)
    assert arrived == pytest.approx(profile.rate_at(second + 0.5), abs=1.5)


def test_a_scaled_profile_keeps_its_shape():
    scaled = Profile.named("spike").scaled(rate=0.5, time=0.2)

    assert (scaled.seconds, scaled.peak) == (pytest.approx(11), 500)
    assert len(list(scaled.arrivals())) == pytest.approx(40375 / 10, abs=2)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (201, b"{}", Kind.ACCEPTED),
        (202, b"{}", Kind.ACCEPTED),
        (400, b'{"error": "Bad Request", "message": "Out of stock"}', Kind.SOLD_OUT),
        (409, b'{"code":"sold_out"}', Kind.SOLD_OUT),
        (409, b'{"code":"sale_not_open"}', Kind.REFUSED),
        (404, b"{}", Kind.REFUSED),
        (429, b"", Kind.THROTTLED),
        (500, b'{"__type": "TooManyRequestsException"}', Kind.THROTTLED),
        (503, b"", Kind.FAILED),
    ],
)
def test_each_answer_has_a_kind(status, body, kind):
    assert classify(status, body) is kind
