"""`flashsale up` sets the authentication of all running endpoints, in any order of commands."""

from dataclasses import replace

import httpx
import pytest
import typer

from flashsale_local.cli import edges as cli_doors
from flashsale_local.cli import stack as cli
from flashsale_local.cli import watch
from flashsale_local.deployment.target import Target
from flashsale_local.problems import Problem
from flashsale_local.stack.guards import SHOWN, differences
from flashsale_local.stack.ports import DEFAULT_PORTS
from flashsale_local.stack.program import free_port
from flashsale_local.stack.stack import Stack
from tests.e2e.conftest import body

pytestmark = pytest.mark.timeout(600)  # seconds for deployments on a busy machine

LIMIT = "3/60"
ORIGINS = "https://shop.example, https://other.example"
SWITCHES = (*SHOWN, "TRUSTED_PROXIES", "JWT_ISSUER", "JWT_JWKS_URL")
CLOSING = {
    "AUTH": "jwt", "RATE_LIMIT_USER": LIMIT, "CORS_ORIGINS": ORIGINS, "TRUSTED_PROXIES": "192.0.2.7"
}  # fmt: skip
# The answers of each endpoint to V1, and to V5 without a token.
OPEN = {"lambda": [201, 202], "asgi": [201, 202]}
CLOSED = {"lambda": [404, 401], "asgi": [404, 401]}


@pytest.fixture(scope="module")
def shell():
    """Return the variables and modules of the `flashsale` command of this test module."""
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="module")
def up(shell, deployed, tmp_path_factory):
    """Return a function that runs `flashsale up` in its own folder, on the session's servers."""
    folder = tmp_path_factory.mktemp("doors")
    for module in (cli, cli_doors, watch):
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

    def run(edge=cli.Edge.LAMBDA, **variables):
        for name in SWITCHES:
            shell.delenv(name, raising=False)
        for name, value in variables.items():
            shell.setenv(name, value)
        cli.up(edge)

    yield run
    Stack(folder).down()


@pytest.fixture(scope="module")
def opened(up):
    """Start both edges without authentication."""
    up(cli.Edge.ASGI, AUTH="none")
    return Target.load(cli.LOCAL)


@pytest.fixture
async def closed(opened, up, new_product, shell):
    """Enable authentication later, by an `up` that names no edge, in the same shell."""
    products = {1: await new_product(99), 5: await new_product(99)}
    if cli_doors.doors_of(opened)["lambda"]["AUTH"] == "none":
        assert answers(opened, products) == OPEN
        up(**CLOSING)
    for name, value in CLOSING.items():
        shell.setenv(name, value)
    cli_doors.bring_along(Stack(cli.LOCAL), opened, lambda _: None)  # undo changes of another test
    return opened, products


def answers(target, products):
    found = {}
    for name, door in target.edges.items():
        with httpx.Client(base_url=door.url, headers=dict(door.headers), timeout=60) as http:
            found[name] = [
                http.post(f"/api/v{generation}/buy", json=body(product_id)).status_code
                for generation, product_id in products.items()
            ]
    return found


def settings_of(target):
    doors = cli_doors.doors_of(target)
    assert list(doors) == ["lambda", "lambda admin", "asgi"]
    return [[guards[name] for name in SHOWN] for guards in doors.values()]


def workers():
    return Stack(cli.LOCAL).supervisor.environment_of("edge")


async def test_up_closes_every_open_endpoint(closed):
    assert answers(*closed) == CLOSED
    assert settings_of(closed[0]) == [["jwt", LIMIT, "", ORIGINS]] * 3
    assert workers()["TRUSTED_PROXIES"] == "192.0.2.7"


async def test_a_missing_variable_opens_no_endpoint(closed, up):
    with pytest.raises(Problem) as caught:
        up()

    assert "AUTH=jwt at lambda, lambda admin, asgi" in caught.value.cause
    assert "AUTH=none" in caught.value.way_out
    assert answers(*closed) == CLOSED
    assert Target.load(cli.LOCAL).auth == "jwt"


async def test_status_shows_each_endpoint_and_no_secret(closed, capsys, monkeypatch):
    monkeypatch.setattr(cli_doors.console, "_width", 200)

    cli.status()

    shown = capsys.readouterr()
    for word in ("jwt", LIMIT, "https://shop.example"):
        assert shown.out.count(word) >= 3
    assert Target.load(cli.LOCAL).token_secret not in shown.out + shown.err


async def test_processes_with_the_wanted_settings_keep_running(closed):
    stack = Stack(cli.LOCAL)
    before = stack.supervisor.info()

    cli_doors.bring_along(stack, closed[0], lambda _: None)

    after = stack.supervisor.info()
    assert [after[name]["pid"] for name in ("edge", "relay")] == [
        before[name]["pid"] for name in ("edge", "relay")
    ]


async def test_status_reports_endpoints_that_differ_and_up_aligns_them(closed, capsys):
    target, stack, secret = closed[0], Stack(cli.LOCAL), "s" * 43
    web, _ = cli_doors.asgi_programs(stack, target)
    other = {**web.environment, "AUTH": "none", "RATE_LIMIT_ADDRESS": "9/60", "JWT_SECRET": secret}
    stack.add(replace(web, environment=other))

    with pytest.raises(typer.Exit) as caught:
        cli.status()
    shown = capsys.readouterr()
    cli_doors.bring_along(stack, target, lambda _: None)

    assert caught.value.exit_code == 1
    told = " ".join(shown.err.split())
    assert "The doors differ in AUTH: jwt at lambda, jwt at lambda admin, none at asgi." in told
    assert "RATE_LIMIT_ADDRESS: none at lambda, none at lambda admin, 9/60 at asgi" in told
    assert "The doors differ in JWT_SECRET" in told
    assert secret not in shown.out + shown.err
    assert differences(cli_doors.doors_of(target)) == []
    assert answers(*closed) == CLOSED


async def test_an_edge_started_later_has_the_functions_authentication(closed, monkeypatch):
    target = closed[0]
    Stack(cli.LOCAL).supervisor.stop_program("edge")
    for name in SWITCHES:  # another shell, for example that of `make spike`
        monkeypatch.delenv(name, raising=False)

    cli.start_asgi_edge(target)

    doors = cli_doors.doors_of(target)
    assert doors["asgi"] == doors["lambda"]
    assert workers()["RATE_LIMIT_USER"] == LIMIT


async def test_up_opens_every_endpoint_on_request(closed, up):
    up(AUTH="none")

    assert answers(*closed) == OPEN
    assert settings_of(closed[0]) == [["none", "", "", ""]] * 3
    assert workers()["TRUSTED_PROXIES"] == ""
