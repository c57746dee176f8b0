"""docker compose, as `DOCKER=1 make up` calls it, and the commands on its stack."""

import json

import httpx
import pytest
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from flashsale_local.sale.answers import AnswerKind
from tests.containers.sales import UNITS, hold_a_sale
from tests.helpers.support import eventually

# Each service with the server whose port `status` shows. The relay's address is that of Redis.
SERVERS = {
    "valkey": "VALKEY", "postgres": "POSTGRES", "localstack": "EMULATOR", "edge": "EDGE",
    "relay": "VALKEY", "exporter": "EXPORTER", "prometheus": "PROMETHEUS", "grafana": "GRAFANA",
}  # fmt: skip


def test_all_services_are_healthy(stack):
    listed = stack.docker("compose", "ps", "--all", "--format", "{{.Service}} {{.Health}}")

    assert sorted(listed.splitlines()) == sorted(f"{name} healthy" for name in SERVERS)


def test_status_shows_each_server_at_its_port_with_its_container(stack):
    def all_up():  # each has two seconds to answer
        shown = json.loads(stack.flashsale("status", "--json", DOCKER="").splitlines()[-1])
        return shown if all(one["up"] for one in shown["servers"]) else None

    shown = eventually(all_up)

    servers = {one["name"]: one for one in shown["servers"]}
    assert servers.keys() == SERVERS.keys()
    for name, one in servers.items():
        assert f":{stack.port(SERVERS[name])}" in one["address"]
        assert name in one["container"] or one["container"] == "localstack-main"
    assert shown["differences"] == []


@pytest.mark.parametrize("edge", ["lambda", "asgi"])
@pytest.mark.parametrize("generation", [4, 5])
def test_a_sale_keeps_its_books(stack, generation, edge):
    sale = hold_a_sale(stack, generation, edge)

    failed = [answer for answer in sale.answers if answer.kind is AnswerKind.FAILED]
    assert failed == []
    assert sale.accepted == sale.books.confirmed == UNITS
    product = sale.books.product_id
    (books,) = json.loads(stack.flashsale("verify", product, "--json", DOCKER="").splitlines()[-1])[
        "products"
    ]
    assert (books["oversold"], books["lost"], books["confirmed"]) == (0, 0, UNITS)


def test_prometheus_reads_edge_relay_and_exporter(stack):
    asked = f"{stack.target.prometheus_url}/api/v1/targets"

    @retry(
        retry=retry_if_exception_type((AssertionError, httpx.HTTPError)),
        wait=wait_fixed(0.5), stop=stop_after_delay(60), reraise=True,
    )  # fmt: skip
    def all_are_up():
        targets = httpx.get(asked).json()["data"]["activeTargets"]
        found = {one["labels"]["job"]: one["health"] for one in targets}
        assert found == dict.fromkeys(("edge", "relay", "exporter"), "up")

    all_are_up()


def test_relay_and_exporter_show_figures_at_moved_ports(stack):
    for name in ("RELAY", "EXPORTER"):
        shown = httpx.get(f"http://127.0.0.1:{stack.port(name)}/metrics", timeout=20).text
        assert "flashsale_" in shown


def test_one_image_serves_three_containers(stack):
    services = ("edge", "relay", "exporter")
    ids = stack.docker("compose", "ps", "--quiet", *services).split()

    images = stack.docker("inspect", "--format", "{{.Image}}", *ids).split()

    assert len(ids) == 3
    assert len(set(images)) == 1


def test_what_the_image_sets_is_not_lost(stack):
    variables = stack.docker("compose", "exec", "-T", "edge", "env").splitlines()

    assert {"DATABASE_POOL_SIZE=8", "GRANIAN_WORKERS=2"} <= set(variables)
    assert not [line for line in variables if line.startswith(("SWEEP_AFTER", "SOLD_OUT_FOR"))]


def test_commands_know_where_the_stack_runs(stack):
    refused = stack.flashsale("up", DOCKER="", status=1)
    assert "runs in containers" in refused
    assert "Listening at" in stack.flashsale("logs", "edge", "--minutes", "60", DOCKER="")
    assert "buy" in stack.flashsale("logs", "buy", DOCKER="")
    found = json.loads(stack.flashsale("doctor", "--json").splitlines()[-1])["findings"]
    ports = [one for one in found if one["check"] == "ports"]
    assert {one["level"] for one in ports} == {"ok"}
