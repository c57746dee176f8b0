"""How long a buyer waited, by the edge through which he came."""

import pytest

from flashsale.http import observe
from flashsale.http.observe import Observe


@pytest.fixture
def work(monkeypatch):
    """Time that passes only when somebody works."""
    now = [0.0]
    monkeypatch.setattr(observe.time, "perf_counter", lambda: now[0])

    def work(seconds):
        now[0] += seconds

    return work


async def nothing(*_):
    return None


@pytest.mark.parametrize(
    ("scope", "seconds"), [({}, 1), ({"aws.event": {}}, 3)], ids=["ASGI", "Mangum"]
)
async def test_a_leaders_relaying_is_part_of_the_answer_only_where_its_buyer_waits(
    work, scope, seconds
):
    async def app(scope, receive, send):
        work(1)
        await send({"type": "http.response.start", "status": 202})
        await send({"type": "http.response.body"})
        work(2)  # a background task

    seen = []

    request = {"type": "http", "method": "POST", "path": "/api/v5/buy", **scope}
    await Observe(app, seen.append)(request, nothing, nothing)

    assert [one.seconds for one in seen] == [seconds]
