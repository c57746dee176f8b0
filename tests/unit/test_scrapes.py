"""Scrapes of the exporter: which sources are read, how often, and sources that hang."""

import asyncio
import threading
from contextlib import suppress

import pytest
from prometheus_client import CollectorRegistry, start_http_server

from flashsale.errors import DatabaseUnavailable
from flashsale_local.stack.exporter import ALIVE
from flashsale_local.stack.program import answers, free_port
from flashsale_server.exporter.backoff import FACTOR, LONGEST, Backoff
from flashsale_server.exporter.exporter import DEADLINE, Exporter, InThread
from flashsale_server.exporter.families import counter, gauge, merged
from tests.helpers.support import by_labels, until


async def test_a_health_check_is_no_scrape():
    asked = []

    async def source():
        asked.append(True)
        return []

    registry, port = CollectorRegistry(), free_port()
    registry.register(Exporter({"any": source}, asyncio.get_running_loop()))
    server, thread = start_http_server(port, "127.0.0.1", registry)

    assert await asyncio.to_thread(answers, f"http://127.0.0.1:{port}{ALIVE}")

    assert not asked
    await asyncio.to_thread(server.shutdown)
    server.server_close()
    thread.join()


async def test_concurrent_requests_share_the_running_scrape():
    asked, go_on = [], asyncio.Event()

    async def slow():
        asked.append(True)
        await go_on.wait()
        return [gauge("figure", "…", [((), len(asked))])]

    exporter = Exporter({"slow": slow}, asyncio.get_running_loop())
    scrapes = [asyncio.create_task(exporter.scrape()) for _ in range(3)]
    await until(lambda: asyncio.sleep(0, asked))
    go_on.set()

    assert [by_labels(await scrape)["figure",] for scrape in scrapes] == [1, 1, 1]
    assert by_labels(await exporter.scrape())["figure",] == 2


async def test_a_thread_past_the_deadline_is_awaited_and_not_started_twice(monkeypatch):
    monkeypatch.setattr("flashsale_server.exporter.exporter.DEADLINE", 0.05)
    running, most, go_on = [], [], threading.Event()

    def read():
        running.append(True)
        most.append(len(running))
        go_on.wait(30)
        running.pop()
        return [gauge("figure", "…", [((), 1)])]

    exporter = Exporter({"hangs": InThread(read)}, asyncio.get_running_loop())
    for _ in range(3):
        assert by_labels(await exporter.scrape())["up", "hangs"] == 0
    go_on.set()

    async def answered():
        return by_labels(await exporter.scrape())["up", "hangs"]

    await until(answered)
    assert max(most) == 1


def test_a_series_is_shown_once_with_the_value_that_was_read_first():
    old = [gauge("stock", "…", [(("a",), 2), (("b",), 3)], "store"), counter("sold", "…", [])]

    families = merged([gauge("stock", "…", [(("a",), 1)], "store"), *old])

    assert [family.name for family in families] == ["flashsale_stock", "flashsale_sold"]
    assert by_labels(families) == {("stock", "a"): 1, ("stock", "b"): 3}
    assert len(old[0].samples) == 2


class Clock:
    """A clock that moves only with simulated work."""

    now = 0.0

    def __call__(self):
        return self.now


@pytest.mark.parametrize(("seconds", "pause"), [(1.0, FACTOR), (3.0, LONGEST)])
def test_the_pause_is_in_proportion_to_the_work_and_has_a_bound(seconds, pause):
    clock = Clock()
    backoff = Backoff(clock)
    assert backoff.is_over

    with backoff.after():
        clock.now += seconds

    clock.now = pause - 0.1
    assert not backoff.is_over
    clock.now = pause
    assert backoff.is_over


@pytest.mark.parametrize(
    ("error", "pauses"), [(TimeoutError, True), (asyncio.CancelledError, True),
                         (DatabaseUnavailable, False)],
)  # fmt: skip
def test_work_that_was_cut_short_is_followed_by_a_pause_and_waiting_is_not(error, pauses):
    clock = Clock()
    backoff = Backoff(clock)

    with suppress(error), backoff.after():
        clock.now += DEADLINE
        raise error

    assert backoff.is_over != pauses
