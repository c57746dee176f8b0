"""The request timeout ends requests that wait too long, and no others."""

import asyncio

import pytest
from fastapi import BackgroundTasks, FastAPI, Request

from flashsale.http import in_time
from flashsale.http.errors import add_error_handlers
from flashsale.http.guards import add_guards
from flashsale.http.observe import Observe
from tests.helpers.in_process import client_of

LIMIT = 0.2

pytestmark = pytest.mark.deadline


@pytest.fixture
def seen():
    return {"observed": [], "background": None, "cancelled": False}


@pytest.fixture
async def http(monkeypatch, seen):
    monkeypatch.setattr(in_time, "ANSWER_TIME", LIMIT)
    api = FastAPI()
    add_error_handlers(api)
    add_guards(api, [])

    async def buy(request: Request):
        await request.body()
        return {}

    @api.get("/api/v4/hang")
    @api.get("/api/v5/hang")
    async def hang():
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            seen["cancelled"] = True
            raise

    api.add_api_route("/buy", buy, methods=["POST"])

    async def read_and_hang(request: Request):
        await request.body()
        await asyncio.Event().wait()

    api.add_api_route("/read-and-hang", read_and_hang, methods=["POST"])

    async def led(background: BackgroundTasks):
        background.add_task(relay)
        return {}

    api.add_api_route("/led", led, methods=["POST"])

    async def relay():
        await asyncio.sleep(3 * LIMIT)
        seen["background"] = "done"

    @api.get("/late")
    async def late():
        raise TimeoutError("its own")

    async with client_of(Observe(api, seen["observed"].append)) as client:
        yield client


@pytest.mark.parametrize(
    ("generation", "media_type"), [(4, "application/json"), (5, "application/problem+json")]
)
async def test_a_request_that_waits_too_long_is_a_503_in_its_routes_format(
    http, seen, generation, media_type
):
    answer = await http.get(f"/api/v{generation}/hang")

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.headers["content-type"] == media_type
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert seen["cancelled"]
    (observed,) = seen["observed"]
    assert (observed.status, observed.error) == (503, "no answer within 0.2 s")


async def test_a_slow_body_has_its_own_limit(http):
    async def slowly():
        for _ in range(4):
            yield b"x"
            await asyncio.sleep(LIMIT / 2)

    answer = await http.post("/buy", content=slowly())

    assert answer.status_code == 200


async def test_an_answer_after_a_slow_body_has_the_limit_of_all_answers(http):
    async def slowly():
        yield b"x"
        await asyncio.sleep(2 * LIMIT)
        yield b"x"

    async with asyncio.timeout(in_time.BODY_TIME / 2):
        answer = await http.post("/read-and-hang", content=slowly())

    assert answer.status_code == 503


async def test_background_tasks_are_not_limited(http, seen):
    answer = await http.post("/led")

    assert (answer.status_code, seen["background"]) == (200, "done")


async def test_another_timeout_is_not_mistaken_for_this_one(http):
    assert (await http.get("/late")).status_code == 500


async def test_no_timer_outlives_its_request(http):
    loop = asyncio.get_running_loop()
    for path in ("/late", "/api/v4/hang", "/no-such-route"):
        await http.get(path)

    waiting = [timer for timer in loop._scheduled if not timer.cancelled()]
    assert not [timer for timer in waiting if "_look" in repr(timer)]
