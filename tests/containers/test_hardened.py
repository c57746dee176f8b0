"""Edge, relay and exporter as a hardened platform runs them: read-only, with no capability."""

import json
import re
import secrets
import socket
import threading
from contextlib import ExitStack, closing

import httpx
import psycopg
import pytest
import yaml

from flashsale.domain.model import Terms
from flashsale_local.deployment.target import with_services
from flashsale_local.paths import ROOT
from flashsale_local.sale.seed import seed, user_ids
from flashsale_server.edge.shop_front import POLICY
from tests.containers.image import HARDENED, IMAGE, PROCESSES, Docker
from tests.helpers.support import eventually

UNITS = 5
USERS = user_ids(UNITS + 2)
STOPS = "Shutting down granian"
# A role as EKS gives it to a container: a token in a file, and STS. The emulator takes any.
ROLE = """
import botocore.session
open("/tmp/token", "w").write("a.b.c")
credentials = botocore.session.get_session().get_credentials()
print(credentials.method, credentials.get_frozen_credentials().access_key)
"""


def settings():
    """Return options with the variables of the compose file's edge, as far as it has values."""
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    fixed = {
        name: value
        for name, value in services["edge"]["environment"].items()
        if value is not None and "${" not in value
    }
    pairs = {**fixed, "AUTH": "none", "EMULATOR": "localstack"}.items()
    return [word for name, value in pairs for word in ("--env", f"{name}={value}")]


OPTIONS = ("--network", "flashsale", *settings())


@pytest.fixture(scope="module")
def docker(engine):
    docker = Docker(engine)
    docker.build()
    return docker


@pytest.fixture
def new_product(stack):
    """Return a function that puts a product on sale in a generation."""

    def put(generation):
        product_id = f"hardened-v{generation}-{secrets.token_hex(4)}"

        async def open_sale(services):
            await seed(services, USERS, [product_id], UNITS)
            await services.stock.open_sale(product_id, UNITS, Terms(generation=generation))

        with_services(stack.target, open_sale)
        return product_id

    return put


@pytest.fixture
def edge(docker, stack):
    """An edge with one web worker: when it has answered, it has also accepted what came before."""
    with docker.container("edge", *OPTIONS, "--env", "GRANIAN_WORKERS=1") as edge:
        await_answer(edge, "/health")
        yield edge


def await_answer(container, path):
    def answers():
        try:
            return httpx.get(f"{container.url}{path}", timeout=10).status_code == 200
        except httpx.TransportError:
            return False

    eventually(answers)


def buy(url, generation, product_id, user=USERS[0]):
    body = {"productId": product_id, "userId": user}
    return httpx.post(f"{url}/api/v{generation}/buy", json=body, timeout=30)


def figures(container):
    text = httpx.get(f"{container.url}/metrics", timeout=30).text
    samples = re.findall(r"^(\w+(?:{.*})?) (\S+)$", text, re.MULTILINE)
    return {name: float(value) for name, value in samples}


def test_the_three_processes_sell_and_show_figures(docker, stack, new_product):
    products = {generation: new_product(generation) for generation in (2, 4, 5)}
    with ExitStack() as running:
        edge, relay, exporter = (
            running.enter_context(docker.container(process, *OPTIONS)) for process in PROCESSES
        )
        for container, path in ((edge, "/health"), (relay, "/metrics"), (exporter, "/metrics")):
            await_answer(container, path)

        answers = {
            generation: [buy(edge.url, generation, product, user).status_code for user in USERS]
            for generation, product in products.items()
        }
        stack.flashsale("verify", "--wait", "60", *products.values())

        assert answers[2] == [201] * UNITS + [400] * 2
        assert answers[4] == [202] * UNITS + [400] * 2
        assert answers[5] == [202] * UNITS + [409] * 2
        accepted = 'flashsale_claims_total{generation="5",outcome="accepted"}'
        eventually(lambda: figures(edge)[accepted] == UNITS)
        assert "flashsale_relayed_claims_total" in figures(relay)
        up = [f'flashsale_up{{service="{name}"}}' for name in ("redis", "postgresql", "sqs")]
        eventually(lambda: all(figures(exporter)[name] for name in up))
        for container in (edge, relay, exporter):
            status = container.read("/proc/1/status")
            assert re.search(r"^Uid:\s+65534\s", status, re.MULTILINE)
            assert re.search(r"^CapBnd:\s+0+$", status, re.MULTILINE)
            assert re.search(r"^NoNewPrivs:\s+1$", status, re.MULTILINE)
            assert container.end() == 0, container.log
            assert "Traceback" not in container.log


def test_the_image_serves_the_page_of_the_shop(edge):
    page = httpx.get(f"{edge.url}/shop/p-01", timeout=30)
    script = httpx.get(f"{edge.url}/shop/files/shop.js", timeout=30)
    settings = httpx.get(f"{edge.url}/shop/files/settings.json", timeout=30)

    assert 'src="files/shop.js"' in page.text
    assert page.headers["content-security-policy"] == POLICY
    assert script.headers["content-type"] == "text/javascript; charset=utf-8"
    assert settings.json() == {"auth": "none", "signIn": None, "pay": None}


def test_a_request_in_a_lock_has_its_answer_before_the_edge_ends(edge, stack, new_product):
    product_id = new_product(2)
    answers = []
    buyer = threading.Thread(target=lambda: answers.append(buy(edge.url, 2, product_id)))
    url = stack.target.database_url
    with (
        closing(psycopg.connect(url)) as holder,
        # It is ready before the buyer, who waits for 1.6 s only.
        closing(psycopg.connect(url, autocommit=True)) as watcher,
    ):
        holder.execute("SELECT FROM products WHERE id = %s FOR UPDATE", [product_id])
        buyer.start()
        eventually(lambda: is_blocked(watcher, holder.info.backend_pid))

        edge.signal_to_end()
        buyer.join()

    assert answers[0].status_code == 503
    assert answers[0].headers["retry-after"]
    assert edge.exit_status() == 0, edge.log
    assert STOPS in edge.log


def is_blocked(watcher, holder):
    query = "SELECT 1 FROM pg_stat_activity WHERE %s = ANY(pg_blocking_pids(pid))"
    return watcher.execute(query, [holder]).fetchone()


def test_a_request_that_arrives_slowly_is_served_while_the_edge_ends(edge, new_product):
    body = json.dumps({"productId": new_product(2), "userId": USERS[0]}).encode()
    host = edge.url.removeprefix("http://")
    head = (
        f"POST /api/v2/buy HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    address, port = host.split(":")
    with socket.create_connection((address, int(port)), timeout=30) as client:
        client.sendall(head.encode() + body[:10])
        # The worker has the request when an answer to a later one has come.
        assert httpx.get(f"{edge.url}/health", timeout=30).status_code == 200

        edge.signal_to_end()
        eventually(lambda: STOPS in edge.log)
        client.sendall(body[10:])
        answer = client.recv(100)

    assert answer.startswith(b"HTTP/1.1 201 ")
    assert edge.exit_status() == 0, edge.log


@pytest.mark.parametrize("process", PROCESSES)
@pytest.mark.parametrize(
    ("options", "variable"),
    [
        ((), "AUTH|REDIS_URL"),
        (("--env", "AUTH=none"), "REDIS_URL"),
        ((*OPTIONS, "--env", "DATABASE_URL=mysql://database/shop"), "DATABASE_URL"),
        ((*OPTIONS, "--env", "AWS_DEFAULT_REGION="), "AWS_DEFAULT_REGION"),
    ],
    ids=["none", "only AUTH", "a wrong URL", "no region"],
)
def test_settings_are_rejected_in_one_line(docker, process, options, variable):
    done = docker.run("run", "--rm", *HARDENED, *options, IMAGE, *PROCESSES[process])

    assert done.returncode == 1
    (line,) = done.stdout.splitlines()
    assert re.match(f"The {process} does not start: ({variable}) ", line)


def test_credentials_come_from_the_role_of_the_container(docker, stack):
    role = {
        "AWS_ACCESS_KEY_ID": "",
        "AWS_SECRET_ACCESS_KEY": "",
        "AWS_ROLE_ARN": "arn:aws:iam::000000000000:role/edge",
        "AWS_WEB_IDENTITY_TOKEN_FILE": "/tmp/token",
    }
    options = [word for name, value in role.items() for word in ("--env", f"{name}={value}")]

    method, key = docker.python(ROLE, *OPTIONS, *options).split()

    assert method == "assume-role-with-web-identity"
    assert key
