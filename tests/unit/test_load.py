"""What the load clients share: load profiles and the meaning of answers."""

import json
from itertools import pairwise

import pytest

from flashsale_local.sale.answers import AnswerKind, classify_answer
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
        (201, b"{}", AnswerKind.ACCEPTED),
        (202, b"{}", AnswerKind.ACCEPTED),
        (400, b'{"error": "Bad Request", "message": "Out of stock"}', AnswerKind.SOLD_OUT),
        (409, b'{"code":"sold_out"}', AnswerKind.SOLD_OUT),
        (409, b'{"code":"sale_not_open"}', AnswerKind.REFUSED),
        (404, b"{}", AnswerKind.REFUSED),
        (429, b"", AnswerKind.THROTTLED),
        (500, b'{"__type": "TooManyRequestsException"}', AnswerKind.THROTTLED),
        (503, b"", AnswerKind.FAILED),
    ],
)
def test_what_an_answer_means(status, body, kind):
    assert classify_answer(status, body) is kind
