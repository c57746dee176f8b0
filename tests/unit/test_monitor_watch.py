"""The live page when a server does not answer, a list is empty, or the state has changed."""

import asyncio
import time
from dataclasses import replace
from types import SimpleNamespace

import pytest

from flashsale_local.deployment.target import Target
from flashsale_local.live_page.actions import Actions
from flashsale_local.live_page.postgres_switch import read_only_reason
from flashsale_local.live_page.queue_look import QueueLook
from flashsale_local.live_page.reading import Reading
from flashsale_local.live_page.shop import Channel, Shop
from flashsale_local.live_page.verdict import Status
from flashsale_local.live_page.watch import Watch
from flashsale_local.problems import Problem
from flashsale_local.stack.program import free_port
from flashsale_server.queues.inspection import InQueues
from tests.helpers.support import until


@pytest.fixture
def target(monkeypatch):
    """Return a stack whose servers do not answer."""
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


def rest(watch):
    """Read the chosen sale again, with nothing changed."""
    seen = watch.history[-1]
    watch.keep(replace(seen, at=seen.at + 0.1, looked_at=seen.at))


async def test_the_watch_survives_an_unexpected_error(watch, monkeypatch):
    looks = []

    async def look_around(services, pause=0.0):
        looks.append(services)
        raise KeyError("OrdersQueueUrl")

    monkeypatch.setattr(watch, "_look_around", look_around)
    running = asyncio.create_task(watch.run(lambda: True))

    async def looked_again():
        assert not running.done()
        return len(looks) > 1

    await until(looked_again)
    running.cancel()
    assert watch.verdict.status is Status.NO_ANSWER
    assert watch.verdict.headline == "The stack does not answer"


async def test_readings_do_not_wait_for_the_queues(watch, monkeypatch):
    slow, readings, looks = asyncio.Event(), [], []

    async def take():
        looks.append(1)
        if len(looks) > 1:
            await slow.wait()
        return QueueLook(time.time(), InQueues({}, []))

    async def take_reading(services):
        readings.append(len(looks))
        return Reading(time.time())

    async def no_messages(services, found):
        pass

    monkeypatch.setattr(watch._queues, "take", take)
    monkeypatch.setattr(watch, "take_reading", take_reading)
    monkeypatch.setattr(watch, "_show_failed", no_messages)
    running = asyncio.create_task(watch.run(lambda: True))

    async def read_often():
        return readings.count(2) >= 5

    await until(read_often)
    running.cancel()
    assert len(looks) == 2


def test_an_old_reading_is_no_verdict(watch, monkeypatch):
    watch.add(SimpleNamespace(product_id="p", channel=Channel(5, "lambda"), units=6))
    rest(watch)
    assert watch.verdict.status is Status.GOOD

    monkeypatch.setattr(
        "flashsale_local.live_page.watch.time.time", lambda: watch.history[-1].at + 11
    )

    assert watch.verdict.status is Status.NO_ANSWER


def test_a_verdict_is_suspended_only_for_the_product_being_bought(watch):
    watch.add(SimpleNamespace(product_id="p", channel=Channel(4, "lambda"), units=6))
    rest(watch)
    watch.busy = "Redriving dlq"

    assert watch.verdict.status is Status.GOOD
    with watch.sending_buyers("another"):
        assert watch.verdict.status is Status.GOOD
    with watch.sending_buyers("p"):
        assert watch.verdict.headline == "Selling"


def services_with(newest_last, *sales):
    async def list_sales():
        return list(sales)

    return SimpleNamespace(
        products=SimpleNamespace(list_all=newest_last),
        stock=SimpleNamespace(list_sales=list_sales),
    )


async def test_the_chosen_product_stays_on_the_list(watch):
    async def newest_last():
        return [SimpleNamespace(id=f"p-{number}") for number in range(100)]

    watch.choose("p-1")
    watch.choose("")

    await watch._list_products(services_with(newest_last))

    assert watch.chosen == "p-1"
    assert (watch.products[0], watch.products[-1], len(watch.products)) == ("p-99", "p-1", 41)


class _Switch:
    def __init__(self):
        self.is_on = True

    def start(self):
        self.is_on = True

    def stop(self):
        self.is_on = False


@pytest.fixture
def shop(target):
    target.__dict__["outputs"] = {"ApiId": "flashsale"}
    return Shop(target)


@pytest.fixture
def switch():
    return _Switch()


@pytest.fixture
def actions(watch, shop, switch):
    return Actions(watch, shop, switch)


async def test_a_button_does_what_its_label_promised(actions, watch, shop, switch, monkeypatch):
    async def nothing():
        pass

    monkeypatch.setattr(shop, "fill_reserve", nothing)

    await actions.switch_postgres(on=False)
    assert not watch.postgres_up, "the label changes at once"
    await actions.switch_postgres(on=False)

    assert not switch.is_on
    assert actions.results[0] == "PostgreSQL was already stopped."
    await actions.switch_postgres(on=True)
    assert switch.is_on
    assert watch.postgres_up


async def test_a_second_spike_in_one_outage_names_the_way_out(actions, switch):
    switch.stop()

    await actions.spike(Channel(3, "lambda"))

    assert actions.results[0] == "There is no product left for V3. Start PostgreSQL first."


async def test_an_unexpected_error_is_shown(actions, watch, switch, monkeypatch):
    def stop():
        raise RuntimeError("the plug is stuck")

    monkeypatch.setattr(switch, "stop", stop)
    switch.is_on = False
    monkeypatch.setattr(switch, "start", stop)

    await actions.switch_postgres(on=True)

    assert actions.results[0] == "Starting PostgreSQL failed: the plug is stuck"
    assert watch.busy == ""


def test_the_page_of_a_stack_that_is_down_says_how_to_start_it(target, tmp_path):
    assert read_only_reason(tmp_path, target), "the target is not the saved one"
    target.save(tmp_path)

    with pytest.raises(Problem, match="The local stack is down") as caught:
        read_only_reason(tmp_path, target)

    assert caught.value.way_out == "make up"
