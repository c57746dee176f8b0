"""What the live page does when something does not answer, is empty, or is not as it was."""

import asyncio
from types import SimpleNamespace

import pytest

from flashsale_local.deployment.target import Target
from flashsale_local.live_page.outage import why_only_watching
from flashsale_local.live_page.session import Visit
from flashsale_local.live_page.shop import Shop, Way
from flashsale_local.live_page.verdict import Mood
from flashsale_local.live_page.watch import Watch
from flashsale_local.problems import Problem
from flashsale_local.stack.program import free_port
from tests.support import until


@pytest.fixture
def target(monkeypatch):
    """A stack of which nothing answers."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    return Target(
        f"redis://127.0.0.1:{free_port()}/0",
        f"postgresql://postgres@127.0.0.1:{free_port()}/postgres",
        f"http://127.0.0.1:{free_port()}",
    )


@pytest.fixture
def watch(target):
    return Watch(target, None)


async def test_the_watch_survives_what_nobody_thought_of(watch, monkeypatch):
    looks = []

    async def look(services):
        looks.append(services)
        raise KeyError("OrdersQueueUrl")

    monkeypatch.setattr(watch, "look", look)
    running = asyncio.create_task(watch.run(lambda: True))

    async def looked_again():
        assert not running.done()
        return len(looks) > 1

    await until(looked_again)
    running.cancel()
    assert watch.verdict.mood is Mood.BLIND
    assert watch.verdict.headline == "The stack does not answer"


def test_the_last_reading_of_long_ago_is_no_verdict(watch, monkeypatch):
    watch.add(SimpleNamespace(product_id="p", way=Way(5, "lambda"), units=6))
    watch.history.append(watch.history[-1])
    assert watch.verdict.mood is Mood.GOOD

    monkeypatch.setattr(
        "flashsale_local.live_page.watch.time.time", lambda: watch.history[-1].at + 11
    )

    assert watch.verdict.mood is Mood.BLIND


def test_a_verdict_is_suspended_only_for_the_product_that_buyers_go_to(watch):
    watch.add(SimpleNamespace(product_id="p", way=Way(4, "lambda"), units=6))
    watch.history.append(watch.history[-1])
    watch.busy = "Redriving dlq"

    assert watch.verdict.mood is Mood.GOOD
    with watch.sending_buyers("another"):
        assert watch.verdict.mood is Mood.GOOD
    with watch.sending_buyers("p"):
        assert watch.verdict.headline == "Selling"


async def test_the_chosen_product_stays_on_the_list(watch):
    async def newest_last():
        return [SimpleNamespace(id=f"p-{number}") for number in range(100)]

    watch.choose("p-1")
    watch.choose("")

    await watch._list_products(SimpleNamespace(products=SimpleNamespace(list_all=newest_last)))

    assert watch.chosen == "p-1"
    assert (watch.products[0], watch.products[-1], len(watch.products)) == ("p-99", "p-1", 41)


class _Postgres:
    def __init__(self):
        self.postgres_up = True

    def start(self):
        self.postgres_up = True

    def stop(self):
        self.postgres_up = False


@pytest.fixture
def shop(target):
    target.__dict__["outputs"] = {"ApiId": "flashsale"}
    return Shop(target)


@pytest.fixture
def outage():
    return _Postgres()


@pytest.fixture
def visit(watch, shop, outage):
    return Visit(watch, shop, outage)


async def test_a_button_does_what_its_label_promised(visit, watch, shop, outage, monkeypatch):
    async def nothing():
        pass

    monkeypatch.setattr(shop, "fill_shelf", nothing)

    await visit.switch_postgres(on=False)
    assert not watch.postgres_up, "at once, for the label"
    await visit.switch_postgres(on=False)

    assert not outage.postgres_up
    assert visit.news[0] == "PostgreSQL was stopped already."
    await visit.switch_postgres(on=True)
    assert outage.postgres_up
    assert watch.postgres_up


async def test_a_second_spike_in_one_outage_hears_what_to_do(visit, outage):
    outage.stop()

    await visit.spike(Way(3, "lambda"))

    assert visit.news[0] == "There is no product left for V3. Start PostgreSQL first."


async def test_an_error_that_nobody_thought_of_is_told(visit, watch, outage, monkeypatch):
    def stop():
        raise RuntimeError("the plug is stuck")

    monkeypatch.setattr(outage, "stop", stop)
    outage.postgres_up = False
    monkeypatch.setattr(outage, "start", stop)

    await visit.switch_postgres(on=True)

    assert visit.news[0] == "Starting PostgreSQL failed: the plug is stuck"
    assert watch.busy == ""


def test_the_page_of_a_stack_that_is_down_says_how_to_start_it(target, tmp_path):
    assert why_only_watching(tmp_path, target), "somebody else's"
    target.save(tmp_path)

    with pytest.raises(Problem, match="The local stack is down") as caught:
        why_only_watching(tmp_path, target)

    assert caught.value.way_out == "make up"
