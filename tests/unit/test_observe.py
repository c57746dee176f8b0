"""How the waiting time of a buyer is measured on each edge."""

import io
import json
from contextlib import suppress
from pathlib import Path

import pytest

from flashsale.http import emf, observe
from flashsale.http.observe import Observation, Observe


@pytest.fixture
def work(monkeypatch):
    """Return a function that lets fake time pass. Otherwise the clock stands still."""
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
async def test_relaying_counts_as_latency_only_where_the_buyer_waits_for_it(work, scope, seconds):
    async def app(scope, receive, send):
        work(1)
        await send({"type": "http.response.start", "status": 202})
        await send({"type": "http.response.body"})
        work(2)  # a background task

    seen = []

    request = {"type": "http", "method": "POST", "path": "/api/v5/buy", **scope}
    await Observe(app, seen.append)(request, nothing, nothing)

    assert [one.seconds for one in seen] == [seconds]


async def test_a_failing_metrics_sink_changes_no_answer(caplog):
    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 202})
        await send({"type": "http.response.body"})

    def emit(_):
        raise OSError(28, "No space left on device")

    sent = []

    async def send(message):
        sent.append(message)

    request = {"type": "http", "method": "POST", "path": "/api/v5/buy"}
    await Observe(app, emit)(request, nothing, send)

    assert [message.get("status") for message in sent] == [202, None]
    assert "No space left on device" in caplog.text


def test_a_claim_that_cannot_be_logged_is_not_counted_with_the_next(monkeypatch):
    claim = Observation("POST", "/api/v5/buy", "/api/v5/buy", 202, 0.1, "c", 5, "accepted")
    full = Path("/dev/full").open("w", buffering=1)  # noqa: SIM115 - closing it fails
    monkeypatch.setattr("sys.stdout", full)
    with pytest.raises(OSError, match="No space left"):
        emf.emit(claim)
    with suppress(OSError):
        full.close()

    monkeypatch.setattr("sys.stdout", written := io.StringIO())
    emf.emit(claim)

    assert json.loads(written.getvalue())["Claims"] == [1.0]
