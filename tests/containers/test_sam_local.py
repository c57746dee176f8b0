"""`sam local`, as docs/running.md shows it, in the network of the stack."""

import json
import re
import signal
import subprocess

import boto3
import httpx
import psycopg
import pytest
from botocore.config import Config

from flashsale_local.paths import ROOT
from flashsale_local.stack.program import free_port
from tests.containers.proxy import Proxy
from tests.containers.stand_ins import lambda_image
from tests.helpers.support import eventually

PAGE = (ROOT / "docs" / "running.md").read_text()
(BEFORE,) = re.findall(r"```sh\n(\. \.venv/bin/activate\n.*?)```", PAGE, re.DOTALL)
(INVOKES,) = re.findall(r"```sh\n(eval [^\n]*\nsam local invoke .*?)```", PAGE, re.DOTALL)
START = {line.split()[2]: line for line in re.findall(r"^sam local start-.*$", PAGE, re.MULTILINE)}
ENV, *INVOKES = INVOKES.splitlines()
IMAGE = lambda_image()

# SAM's mark on its containers; those of LocalStack come and go.
OF_SAM = "sam.cli.container.type"

# A shell that would reach AWS. The key is the one of AWS's documentation.
KEYS_OF_AWS = {
    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "AWS_SESSION_TOKEN": "token",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_REGION": "eu-central-1",
}


@pytest.fixture(scope="module")
def shell(stack):
    """Return what starts lines in bash, in the folder and with the variables of the stack."""
    found = subprocess.run(
        ["docker", "image", "inspect", IMAGE],
        env=stack.environment, capture_output=True, check=False,
    )  # fmt: skip
    local = {"SAM_SKIP_PULL_IMAGE": "1"} if found.returncode == 0 else {}

    def start(lines, **environment):
        return subprocess.Popen(
            ["bash", "-euo", "pipefail", "-c", lines], cwd=stack.folder,
            env={**stack.environment, **local, **environment}, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def run(lines, **environment):
        with start(lines, **environment) as process:
            printed, errors = process.communicate(timeout=120)
        assert process.returncode == 0, f"{lines}\n{printed}\n{errors}"
        return printed

    run(BEFORE)
    run.start = start
    return run


@pytest.fixture(scope="module")
def activate():
    return BEFORE.splitlines()[0]


@pytest.fixture(scope="module")
def answers(shell, activate):
    """The answer of each `sam local invoke` of the page, by the name of its event."""
    return {
        re.search(r"events/([\w-]+)\.json", line)[1]: json.loads(
            shell(f"{activate}\n{ENV}\n{line}")
        )
        for line in INVOKES
    }


@pytest.fixture
def order_of(stack):
    """Return what reads product, quantity and status of an order; None if there is no row."""
    address = f"postgresql://postgres@127.0.0.1:{stack.port('POSTGRES')}/postgres"
    with psycopg.connect(address, autocommit=True) as connection:
        yield lambda order_id: connection.execute(
            "select product_id, quantity, status from orders where id = %s", [order_id]
        ).fetchone()


@pytest.mark.parametrize(
    ("event", "row"),
    [("buy-v4", ("p-01", 1, "CONFIRMED")), ("buy-v5", ("p-03", 2, "CONFIRMED"))],
)
def test_a_purchase_becomes_an_order_of_the_stack(answers, order_of, event, row):
    order_id = json.loads(answers[event]["body"])["orderId"]

    assert answers[event]["statusCode"] == 202
    assert eventually(lambda: order_of(order_id)) == row


def test_orders_and_their_rollback_are_written(answers, order_of):
    assert answers["order"] == answers["rollback"] == {"batchItemFailures": []}
    assert {
        order_of(order_id)
        for order_id in (
            "5c9f1c1e-8f1c-4f0e-9c55-0a1b2c3d4e5f",
            "by-hand-01:1795766400000-0",
            "by-hand-01:1795766400000-1",
            "7d0a2d2f-9a2d-4a1f-8d66-1b2c3d4e5f60",
        )
    } == {
        ("by-hand-01", 1, "CONFIRMED"),
        ("by-hand-01", 2, "CONFIRMED"),
        ("by-hand-01", 1, "CANCELLED"),
    }


def test_the_sweep_finds_all_queues(answers):
    assert answers["sweep"] == {"swept": 0}


def test_nothing_goes_to_aws_in_a_shell_with_its_keys(shell, activate, order_of):
    with Proxy() as proxy:
        printed = shell(
            f"{activate}\n{ENV}\n{INVOKES[0]}", **KEYS_OF_AWS, HTTPS_PROXY=proxy.address
        )

    answer = json.loads(printed)
    assert answer["statusCode"] == 202
    order_id = json.loads(answer["body"])["orderId"]
    assert eventually(lambda: order_of(order_id)) == ("p-01", 1, "CONFIRMED")
    assert not [host for host in proxy.asked if "amazonaws" in host]


@pytest.fixture
def started(shell, activate, stack):
    """Return what starts a `sam local start-…` of the page, and returns its address."""
    processes = []

    def start(command):
        port = free_port()
        # Its own words on a port that is surely free, and no bash in between.
        line = f"{activate}\n{ENV}\nexec {START[command].split('#')[0]} --port {port}"
        processes.append(shell.start(line))
        return f"http://127.0.0.1:{port}"

    yield start
    for process in processes:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    left = stack.docker("ps", "--all", "--quiet", "--filter", f"label={OF_SAM}")
    assert left == "", "its containers are gone"


def test_start_lambda_answers_boto3(started, answers):
    patient = Config(retries={"mode": "standard", "total_max_attempts": 12}, read_timeout=120)
    functions = boto3.client(
        "lambda", endpoint_url=started("start-lambda"), region_name="us-east-1",
        aws_access_key_id="test", aws_secret_access_key="test", config=patient,
    )  # fmt: skip
    event = (ROOT / "events" / "buy-v5.json").read_bytes()

    invoked = functions.invoke(FunctionName="BuyFunction", Payload=event)

    same = "the event has an Idempotency-Key"
    assert json.loads(invoked["Payload"].read())["body"] == answers["buy-v5"]["body"], same


def test_start_api_leads_to_buy_and_to_admin(started):
    url = started("start-api")

    def healthy():
        try:
            return httpx.get(f"{url}/health", timeout=120).status_code == 200
        except httpx.ConnectError:
            return False

    eventually(healthy)
    order = {"productId": "p-03", "userId": "u-00002"}
    bought = httpx.post(f"{url}/api/v5/buy", json=order, timeout=120)
    books = httpx.get(f"{url}/api/admin/books", timeout=120)

    assert bought.status_code == 202, bought.text
    assert books.status_code == 401, "the admin function, which asks for a token"
