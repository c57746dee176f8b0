"""A use case with a deadline completes, is cancelled, or is abandoned."""

import asyncio
import time

import pytest

from flashsale.deadline import NEVER, Deadline
from flashsale.errors import OutOfTime, StockUnavailable
from tests.helpers.support import LambdaContext


async def test_work_that_ends_in_time_returns_its_result():
    assert await NEVER.bound(asyncio.sleep(0, "done")) == "done"


async def test_an_error_in_the_work_reaches_the_caller():
    async def fail():
        raise StockUnavailable("down")

    with pytest.raises(StockUnavailable):
        await NEVER.bound(fail())


async def test_work_that_is_late_is_cancelled():
    ended = asyncio.Event()

    async def wait():
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    with pytest.raises(OutOfTime):
        await Deadline.after(0.01).bound(wait())

    assert ended.is_set()


async def test_work_that_cannot_be_cancelled_is_abandoned():
    go_on, ended = asyncio.Event(), asyncio.Event()

    async def stubborn():
        while not go_on.is_set():
            try:
                await go_on.wait()
            except asyncio.CancelledError:
                continue
        ended.set()

    with pytest.raises(OutOfTime):
        await Deadline.after(0.01).bound(stubborn())

    assert not ended.is_set()
    go_on.set()
    await ended.wait()


@pytest.mark.parametrize(
    ("remaining", "reserve", "left"), [(10, 1.5, 8.5), (60, 20, 40), (2, 1.5, 1), (0, 1.5, 0)]
)
def test_a_function_reserves_at_most_half_of_its_time(remaining, reserve, left):
    deadline = Deadline.of(LambdaContext(remaining), reserve)

    assert deadline.at == pytest.approx(time.monotonic() + left, abs=1)
    assert deadline.near is (left < 0.5)


def test_halfway_leaves_half_of_the_time():
    deadline = Deadline.after(10)

    assert deadline.halfway.left == pytest.approx(deadline.left / 2, abs=0.5)
