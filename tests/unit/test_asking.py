"""`flashsale open` and `rebuild` ask before they act on products that nobody named."""

import asyncio
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from flashsale_local.cli import app, sale
from flashsale_local.deployment.target import Target

IDS = ["p-01", "p-02"]


@pytest.fixture
def acted_on(monkeypatch):
    """Return a list that gets the products that a command opens or rebuilds."""
    acted: list[str] = []

    async def ids(*_):
        return IDS

    async def products():
        return [SimpleNamespace(id=id_) for id_ in IDS]

    async def open_one(_services, product_id, _terms):
        acted.append(product_id)
        return "on sale"

    async def rebuild(_services, product_ids, *_):
        acted.extend(product_ids)
        return dict.fromkeys(product_ids, 1)

    services = SimpleNamespace(products=SimpleNamespace(list_all=products))
    monkeypatch.setattr(Target, "load", lambda _: SimpleNamespace(queues={"orders": "q"}))
    monkeypatch.setattr(sale, "with_services", lambda _t, use, **_: asyncio.run(use(services)))
    monkeypatch.setattr(sale, "to_rebuild", ids)
    monkeypatch.setattr(sale, "_open", open_one)
    monkeypatch.setattr(sale.rebuilding, "rebuild", rebuild)
    monkeypatch.setattr(sale, "where_the_room_goes_on", lambda *_: asyncio.sleep(0, ""))
    return acted


@pytest.fixture(params=["open", "rebuild"])
def command(request):
    return request.param


def run(*arguments, typed=""):
    return CliRunner().invoke(app, arguments, input=typed, catch_exceptions=False)


@pytest.mark.parametrize("typed", ["n\n", "\n", ""], ids=["no", "enter", "end of input"])
def test_nothing_happens_without_a_yes(acted_on, command, typed):
    done = run(command, typed=typed)

    assert (done.exit_code, acted_on) == (1, [])
    assert "Continue?" in done.stderr


def test_the_question_names_the_products(acted_on, command):
    done = run(command, typed="y\n")

    assert (done.exit_code, acted_on) == (0, IDS)
    assert "all 2: p-01 p-02" in done.output


def test_yes_answers_for_a_script(acted_on, command):
    done = run(command, "--yes")

    assert (done.exit_code, acted_on) == (0, IDS)
    assert "Continue?" not in done.output


def test_a_named_product_needs_no_question(acted_on, command):
    done = run(command, "p-02")

    assert (done.exit_code, acted_on) == (0, ["p-02"])
    assert "Continue?" not in done.output
