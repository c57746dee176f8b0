"""The functions' answers to API Gateway."""

import asyncio
import json

import pytest

from functions.admin import app as admin
from functions.buy import app as buy
from tests.helpers.edges import event_of

HANDLERS = {"buy": buy.handler, "admin": admin.handler}


@pytest.fixture(autouse=True)
def _loop():
    """Give Mangum a current event loop."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    asyncio.set_event_loop(None)
    loop.close()


@pytest.mark.parametrize("function", HANDLERS)
@pytest.mark.parametrize("path", ["/api/v5/nothing", "/api/admin/nothing", "/nothing"])
def test_a_problem_body_is_plain_text_in_the_functions_result(function, path):
    answer = HANDLERS[function](event_of("GET", path, b"", {}), None)

    assert answer["statusCode"] == 404
    assert answer["isBase64Encoded"] is False
    assert "Not Found" in json.loads(answer["body"]).values()


@pytest.mark.parametrize("path", ["/docs", "/openapi.json"])
def test_every_body_of_the_buy_function_is_plain_text(path):
    answer = buy.handler(event_of("GET", path, b"", {}), None)

    assert (answer["statusCode"], answer["isBase64Encoded"]) == (200, False)
