"""`flashsale up` sets who may buy at every endpoint of the running stack, in any order."""

import asyncio
from dataclasses import replace

import httpx
import pytest
import typer

from flashsale_local.cli import stack as cli
from flashsale_local.cli import status
from flashsale_local.deployment.target import Edge, Target
from flashsale_local.problems import Problem
from flashsale_local.stack import access, asgi, start, watchers
from flashsale_local.stack.access import PUBLIC, differences
from flashsale_local.stack.ports import DEFAULT_PORTS
from flashsale_local.stack.program import free_port
from flashsale_local.stack.stack import Stack
from tests.e2e.conftest import body

pytestmark = pytest.mark.timeout(600)  # deployments, on a machine that may be busy

LIMIT = "3/60"
ORIGINS = "https://shop.example, https://other.example"
SWITCHES = (*PUBLIC, "TRUSTED_PROXIES", "JWT_ISSUER", "JWT_JWKS_URL")
CLOSING = {
    "AUTH": "jwt", "RATE_LIMIT_USER": LIMIT, "CORS_ORIGINS": ORIGINS, "TRUSTED_PROXIES": "192.0.2.7"
}  # fmt: skip
# How each endpoint answers V1, and V5 without a token.
OPEN = {"lambda": [201, 202], "asgi": [201, 202]}
CLOSED = {"lambda": [404, 401], "asgi": [404, 401]}


@pytest.fixture(scope="module")
def shell():
    """Patches variables and modules for `flashsale` in this test module."""
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="module")
def up(shell, deployed, tmp_path_factory):
    """`flashsale up` with these variables, in a folder like `.local`, on the session's servers."""
    folder = tmp_path_factory.mktemp("access")
    for module in (cli, status, access, asgi, start, watchers):
        shell.setattr(module, "LOCAL", folder)
    given = {
        **{name: str(free_port()) for name in DEFAULT_PORTS},
        "REDIS_URL": deployed.redis_url,
        "DATABASE_URL": deployed.database_url,
        "AWS_ENDPOINT_URL": deployed.endpoint_url,
        "EMULATOR": deployed.emulator,
    }
    for name, value in given.items():
        shell.setenv(name, value)

    def run(edge=Edge.LAMBDA, **variables):
        for name in SWITCHES:
            shell.delenv(name, raising=False)
        for name, value in variables.items():
            shell.setenv(name, value)
        cli.up(edge)

    yield run
    Stack(folder).down()


@pytest.fixture(scope="module")
def opened(up):
    """Both edges, without tokens."""
    up(Edge.ASGI, AUTH="none")
    return Target.load(cli.LOCAL)


@pytest.fixture
async def closed(opened, up, new_product, shell):
    """The same, closed by a later `up` that names no edge. Its shell variables stay set."""
    products = {1: await new_product(99), 5: await new_product(99)}
    if access.access_settings_of(opened)["lambda"]["AUTH"] == "none":
        assert answers(opened, products) == OPEN
        up(**CLOSING)
    for name, value in CLOSING.items():
        shell.setenv(name, value)
    asgi.restart_with_new_settings(Stack(cli.LOCAL), opened, lambda _: None)  # undo another test
    return opened, products


def answers(target, products):
    found = {}
    for name, endpoint in target.edges.items():
        headers = dict(endpoint.headers)
        with httpx.Client(base_url=endpoint.url, headers=headers, timeout=60) as http:
            found[name] = [
                http.post(f"/api/v{generation}/buy", json=body(product_id)).status_code
                for generation, product_id in products.items()
            ]
    return found


def settings_of(target):
    found = access.access_settings_of(target)
    assert list(found) == ["lambda", "lambda admin", "asgi"]
    return [[settings[name] for name in PUBLIC] for settings in found.values()]


def workers():
    return Stack(cli.LOCAL).supervisor.environment_of("edge")


async def test_up_closes_every_open_endpoint(closed):
    assert answers(*closed) == CLOSED
    assert settings_of(closed[0]) == [["jwt", LIMIT, "", ORIGINS]] * 3
    assert workers()["TRUSTED_PROXIES"] == "192.0.2.7"


async def test_a_ticket_of_one_edge_is_good_at_the_others(closed):
    target = closed[0]

    found = access.access_settings_of(target)

    assert {settings["ROOM_SECRET"] for settings in found.values()} == {target.room_secret}
    assert len(target.room_secret) >= 32
    assert target.room_secret not in (target.token_secret, target.webhook_secret)


async def test_up_without_auth_opens_no_closed_endpoint(closed, up):
    with pytest.raises(Problem) as caught:
        up()

    assert "AUTH=jwt at lambda, lambda admin, asgi" in caught.value.cause
    assert "AUTH=none" in caught.value.way_out
    assert answers(*closed) == CLOSED
    assert Target.load(cli.LOCAL).auth == "jwt"


async def test_status_shows_each_endpoint_and_no_secret(closed, capsys, monkeypatch):
    monkeypatch.setattr(status.console, "_width", 200)

    await asyncio.to_thread(status.status)  # a command runs an event loop of its own

    shown = capsys.readouterr()
    for word in ("jwt", LIMIT, "https://shop.example"):
        assert shown.out.count(word) >= 3
    assert Target.load(cli.LOCAL).token_secret not in shown.out + shown.err


async def test_programs_with_the_right_settings_are_not_restarted(closed):
    stack = Stack(cli.LOCAL)
    before = stack.supervisor.info()

    asgi.restart_with_new_settings(stack, closed[0], lambda _: None)

    after = stack.supervisor.info()
    assert [after[name]["pid"] for name in ("edge", "relay")] == [
        before[name]["pid"] for name in ("edge", "relay")
    ]


async def test_status_fails_where_endpoints_differ_and_a_restart_repairs_it(closed, capsys):
    target, stack, secret = closed[0], Stack(cli.LOCAL), "s" * 43
    web, _ = asgi.asgi_programs(stack, target)
    other = {**web.environment, "AUTH": "none", "RATE_LIMIT_ADDRESS": "9/60", "JWT_SECRET": secret}
    stack.add(replace(web, environment=other))

    with pytest.raises(typer.Exit) as caught:
        await asyncio.to_thread(status.status)
    shown = capsys.readouterr()
    asgi.restart_with_new_settings(stack, target, lambda _: None)

    assert caught.value.exit_code == 1
    told = " ".join(shown.err.split())
    assert "The endpoints differ in AUTH: jwt at lambda, jwt at lambda admin, none at asgi." in told
    assert "RATE_LIMIT_ADDRESS: none at lambda, none at lambda admin, 9/60 at asgi" in told
    assert "The endpoints differ in JWT_SECRET" in told
    assert secret not in shown.out + shown.err
    assert differences(access.access_settings_of(target)) == []
    assert answers(*closed) == CLOSED


async def test_an_edge_that_starts_later_has_the_settings_of_the_functions(closed, monkeypatch):
    target = closed[0]
    Stack(cli.LOCAL).supervisor.stop_program("edge")
    for name in SWITCHES:  # another shell, that of `make spike` for example
        monkeypatch.delenv(name, raising=False)

    asgi.start_asgi_edge(target)

    found = access.access_settings_of(target)
    assert found["asgi"] == found["lambda"]
    assert workers()["RATE_LIMIT_USER"] == LIMIT


async def test_up_with_auth_none_opens_every_endpoint(closed, up):
    up(AUTH="none")

    assert answers(*closed) == OPEN
    assert settings_of(closed[0]) == [["none", "", "", ""]] * 3
    assert workers()["TRUSTED_PROXIES"] == ""
