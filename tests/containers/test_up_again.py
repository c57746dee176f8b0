"""A second `up`, after `down` and a change of the code. This module is the last of all by name."""

import json
import uuid
from dataclasses import dataclass

import pytest

from flashsale_local.deployment.target import with_services
from flashsale_local.sale.seed import seed
from tests.containers.sales import UNITS, hold_a_sale, read, request

TITLE = "flashsale, after a change"
SETTINGS = {"AUTH": "jwt", "RATE_LIMIT_USER": "2/60", "SWEEP_AFTER": "120", "SOLD_OUT_FOR": "0",
            "CORS_ORIGINS": "https://shop.example"}  # fmt: skip
EDGES = ["lambda", "asgi"]


@dataclass(frozen=True)
class Left:
    """What `down` left: containers, networks, volumes. And the books of a sale before it."""

    containers: str
    networks: str
    volumes: str
    product: str
    before: dict[str, object]


def books_of(stack, product):
    shown = stack.flashsale("verify", product, "--json").splitlines()[-1]
    return json.loads(shown)["products"]


def volumes(stack):
    return stack.docker("volume", "ls", "--quiet", "--filter", "name=flashsale_")


@pytest.fixture(scope="module")
def left(stack):
    """Hold a sale, stop the stack, change the code, and start the stack with other settings."""
    product = hold_a_sale(stack, 5, "asgi").books.product_id
    before = books_of(stack, product)
    stack.flashsale("down", DOCKER="")  # it knows by itself
    found = Left(
        stack.docker("ps", "--all", "--quiet", "--filter", "network=flashsale"),
        stack.docker("network", "ls", "--quiet", "--filter", "name=flashsale"),
        volumes(stack), product, before,
    )  # fmt: skip
    application = stack.folder / "layers/flashsale/flashsale/http/application.py"
    old = application.read_text()
    application.write_text(old.replace('title="flashsale",', f'title="{TITLE}",'))
    stack.flashsale("up", **SETTINGS)
    return found


@pytest.fixture
def on_sale(left, stack):
    """Put a product on sale that nobody has bought."""
    product = f"again-{uuid.uuid4().hex[:12]}"

    async def open_sale(services):
        await seed(services, [], [product], 100)
        await services.stock.open_sale(product, 100)

    with_services(stack.target, open_sale)
    return product


def token(stack, user, *more):
    made = stack.flashsale("token", "--user", user, *more).strip()
    return {"Authorization": f"Bearer {made}"}


def test_down_leaves_data_and_nothing_else(left):
    assert left.containers == left.networks == ""
    assert {"flashsale_valkey", "flashsale_postgres"} <= set(left.volumes.split())


def test_the_data_of_an_earlier_stack_is_there(left, stack):
    assert books_of(stack, left.product) == left.before


@pytest.mark.parametrize("edge", EDGES)
def test_new_code_is_served(left, stack, edge):
    page = request(stack.target.edges[edge], "GET", "/openapi.json")

    assert page.json()["info"]["title"] == TITLE


@pytest.mark.parametrize("edge", EDGES)
def test_buyers_need_a_token_and_few_attempts(left, stack, on_sale, edge):
    api, body = stack.target.edges[edge], {"productId": on_sale}
    buyer = token(stack, f"{edge}-buyer")

    def buy(generation, **headers):
        path = f"/api/v{generation}/buy"
        return request(api, "POST", path, json=body, headers=headers).status_code

    assert buy(4) == 404
    assert buy(5) == 401
    assert buy(5, **buyer) == 202
    assert [buy(5, **buyer) for _ in range(2)][-1] == 429, "RATE_LIMIT_USER is 2/60"


def test_an_admin_reads_the_books_by_both_edges(left, stack):
    admin = token(stack, "boss", "--admin")
    for endpoint in (stack.target.admin_endpoint, stack.target.edges["asgi"]):
        path = f"/api/admin/products/{left.product}/books"

        assert request(endpoint, "GET", path).status_code == 401
        answer = read(endpoint, path, headers=admin)
        assert answer.status_code == 200, answer.text
        assert answer.json()["confirmed"] == UNITS


def test_settings_of_the_shell_reach_the_containers(left, stack):
    for service in ("edge", "relay", "exporter"):
        variables = stack.docker("compose", "exec", "-T", service, "env").splitlines()
        assert {f"{name}={value}" for name, value in SETTINGS.items()} <= set(variables)


def test_the_endpoints_have_the_same_settings(left, stack):
    shown = json.loads(stack.flashsale("status", "--json").splitlines()[-1])

    assert shown["differences"] == []
    assert {one["rate_limit_user"] for one in shown["access"].values()} == {"2/60"}
    assert all(one["up"] for one in shown["servers"])


def test_clean_deletes_the_data(left, stack):
    stack.flashsale("down", "--volumes", DOCKER="")

    assert volumes(stack) == ""
    assert stack.docker("ps", "--all", "--quiet", "--filter", "network=flashsale") == ""
    assert "No stack was running" in stack.flashsale("down", "--volumes", DOCKER="")
