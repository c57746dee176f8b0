"""`make spike` against the deployed application: k6's counts and the books agree."""

import io

import httpx
import pytest
import typer
from rich.console import Console

from flashsale_local.deployment.target import Edge
from flashsale_local.problems import Problem
from flashsale_local.sale.answers import AnswerKind
from loadtest.spike import __main__ as spike
from loadtest.spike import view
from loadtest.spike.outcome import findings
from loadtest.spike.sale import Spike, hold
from tests.helpers.support import USERS

# No machine misses this service level: the tests are about counting, not about speed.
ANY_MS = 60_000.0
SMOKE = {
    "edge": Edge.ASGI, "profile": "smoke", "scale": 1.0, "product": "", "p95_ms": ANY_MS,
    "error_rate": 0.01,
}  # fmt: skip


@pytest.fixture
def screen(monkeypatch):
    text = io.StringIO()
    monkeypatch.setattr(view, "errors", Console(file=text, force_terminal=True, width=200))
    return text


async def test_everybody_buys_if_the_stock_is_large_enough(target, services, tmp_path, screen):
    asked = Spike(generation=5, stock=1000, **SMOKE)

    result = await hold(target, services, asked, tmp_path)

    assert findings(result) == []
    accepted = result.summary.outcomes[AnswerKind.ACCEPTED]
    assert accepted == result.summary.attempts > 0
    assert (result.after.confirmed, result.after.redis_stock) == (accepted, 1000 - accepted)
    for column in ("offered/s", "answered/s", "accepted p95, ms", "dlq", "stock", "unsettled"):
        assert column in screen.getvalue()


async def test_sold_out_is_not_a_failure(target, services, tmp_path):
    asked = Spike(generation=5, stock=20, **SMOKE)

    result = await hold(target, services, asked, tmp_path)

    assert findings(result) == []
    outcomes = result.summary.outcomes
    assert outcomes[AnswerKind.ACCEPTED] == result.after.confirmed == 20
    assert outcomes[AnswerKind.SOLD_OUT] == result.summary.attempts - 20 > 0
    assert [one.value for one in result.summary.thresholds if "failed" in one.name] == [0]


async def test_a_generation_on_postgresql_behind_lambda_is_counted_too(target, services, tmp_path):
    asked = Spike(generation=2, stock=10, **{**SMOKE, "edge": Edge.LAMBDA})

    result = await hold(target, services, asked, tmp_path)

    assert findings(result) == []
    assert result.summary.outcomes[AnswerKind.ACCEPTED] == result.after.confirmed == 10


def test_a_missed_service_level_is_named_and_fails(target, stack, monkeypatch, capsys):
    monkeypatch.setattr(spike, "LOCAL", stack.directory)
    monkeypatch.setattr(
        spike, "start_asgi_edge", None
    )  # it must not be called, because the target has an edge

    with pytest.raises(typer.Exit) as caught:
        spike.spike(profile="smoke", stock=1000, p95_ms=0.001)

    shown = capsys.readouterr()
    assert caught.value.exit_code == 1
    assert "The service level was missed: p95 of accepted below 0.001 ms" in shown.err
    assert "share of failed" not in shown.err
    assert "as usual on this edge" in shown.err
    assert "The books, in units" in shown.out
    assert "accepted" in shown.out


async def test_a_product_that_is_not_on_sale_is_a_problem(target, services, new_product, tmp_path):
    closed, sold = await new_product(5, on_sale=False), await new_product(5)
    async with httpx.AsyncClient(base_url=target.asgi_url, timeout=60) as http:
        body = {"productId": sold, "userId": USERS[0]}
        assert (await http.post("/api/v2/buy", json=body)).status_code == 201

    for product, cause in (
        ("none-such", "no product 'none-such'"),
        (closed, f"{closed} is not on sale"),
        (sold, f"{sold} is sold by V2"),
    ):
        asked = Spike(generation=5, stock=0, **{**SMOKE, "product": product})
        with pytest.raises(Problem) as caught:
            await hold(target, services, asked, tmp_path)
        assert cause in caught.value.cause
