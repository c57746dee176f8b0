"""Traces with the real X-Ray SDK: what it sends to the X-Ray daemon and to SQS.

Sockets of the test stand in for the X-Ray daemon and for SQS.
"""

import json
import os
import socket
import subprocess
import sys

import pytest

from flashsale.domain.messages import QueuedOrder
from flashsale_local.paths import ROOT, SOURCE_ROOTS
from tests.helpers.post_server import PostServer
from tests.helpers.support import USERS

TRACE = "1-67891233-abcdef012345678912345678"
# Lambda gives each invocation a trace. It links the trace of a batch to those of its messages by
# the header that SQS keeps with each message. AWS does that, so no test here shows it.
TRACE_OF_BATCH = "1-67891234-fedcba987654321087654321"
PARENT = "463ac35c9f6413ad"
SCRIPT = """
import importlib, json, sys
from tests.helpers.support import LambdaContext
function, event = sys.argv[1:]
handler = importlib.import_module("functions." + function + ".app").handler
print(json.dumps({"answer": handler(json.loads(event), LambdaContext())}))
print("xray" if "aws_xray_sdk" in sys.modules else "no xray")
"""


@pytest.fixture
def daemon():
    """Return a function that reads the JSON documents sent to the X-Ray daemon."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as port:
        port.bind(("127.0.0.1", 0))
        port.setblocking(False)

        def documents():
            found = []
            while True:
                try:
                    found.append(json.loads(port.recv(65_536).split(b"\n", 1)[1]))
                except BlockingIOError:
                    return found

        yield port.getsockname()[1], documents


class Sqs(PostServer):
    """An SQS that records the trace header and the body of each message."""

    def __init__(self):
        self.sent = []
        super().__init__()

    def answer_to(self, _path, headers, body):
        (entry,) = json.loads(body)["Entries"]
        trace = {name.lower(): value for name, value in headers.items()}.get("x-amzn-trace-id")
        self.sent.append((trace, entry["MessageBody"]))
        taken = {"Successful": [{"Id": entry["Id"], "MessageId": "m-1"}]}
        json_type = {"Content-Type": "application/x-amz-json-1.0"}
        return 200, json_type, json.dumps(taken).encode()


@pytest.fixture
def queue():
    server = Sqs()
    yield server.url, server.sent
    server.close()


@pytest.fixture
def invoke(migrated, daemon, queue):
    """Return a function that runs a handler as Lambda does, in a separate process."""

    def run(function, event, *, trace=TRACE, tracing=True):
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, function, json.dumps(event)],
            env={
                **os.environ,
                "PYTHONPATH": SOURCE_ROOTS,
                "REDIS_URL": migrated.redis_url,
                "DATABASE_URL": migrated.database_url,
                "ORDERS_QUEUE_URL": f"{queue[0]}/000000000000/orders",
                "AWS_ENDPOINT_URL": queue[0],
                "LAMBDA_TASK_ROOT": "/var/task",
                "_X_AMZN_TRACE_ID": f"Root={trace};Parent={PARENT};Sampled=1",
                "POWERTOOLS_TRACE_DISABLED": "false" if tracing else "true",
                "AWS_XRAY_DAEMON_ADDRESS": f"127.0.0.1:{daemon[0]}",
            },
            cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        *_, answer, xray = done.stdout.splitlines()
        return json.loads(answer)["answer"], xray

    return run


def request(product_id):
    event = json.loads((ROOT / "events" / "buy-v4.json").read_text())
    event["body"] = json.dumps({"productId": product_id, "userId": USERS[0]})
    event["requestContext"]["requestId"] = "a-request"
    return event


def flattened(documents):
    for document in documents:
        yield document
        yield from flattened(document.get("subsegments", []))


async def test_a_purchase_and_its_order_are_traced_and_share_an_id(
    invoke, daemon, queue, new_product
):
    product_id = await new_product(1)

    answer, _ = invoke("buy", request(product_id))
    bought = list(flattened(daemon[1]()))
    ((header, message),) = queue[1]
    attributes = {"AWSTraceHeader": header}
    record = {"messageId": "m-1", "body": message, "attributes": attributes}
    placed, _ = invoke("order", {"Records": [record]}, trace=TRACE_OF_BATCH)
    written = list(flattened(daemon[1]()))

    assert answer["statusCode"] == 202
    assert {"## handler", "## flashsale.redis_store.stock.Stock.decrement", "sqs"} <= {
        part["name"] for part in bought
    }
    (push,) = [part for part in bought if part["name"] == "sqs"]
    assert header.startswith(f"Root={TRACE};Parent={push['id']};"), (
        "the header by which Lambda links the traces"
    )
    assert placed == {"batchItemFailures": []}
    assert {"## handler", "## flashsale.postgres_store.orders.Orders.write_batch"} <= {
        part["name"] for part in written
    }
    for parts, trace in ((bought, TRACE), (written, TRACE_OF_BATCH)):
        assert {part["trace_id"] for part in parts if "trace_id" in part} == {trace}
        (handler,) = [part for part in parts if part["name"] == "## handler"]
        assert handler["annotations"]["correlation_id"] == "a-request"


async def test_a_batch_is_annotated_with_all_its_purchases(invoke, daemon, new_product):
    product_id = await new_product(2)
    orders = [
        QueuedOrder.of_claim(product_id, f"1-{number}", USERS[number], 1, f"request-{number}")
        for number in range(2)
    ]
    records = [{"messageId": o.entry_id, "body": o.model_dump_json()} for o in orders]

    invoke("order", {"Records": [*records, {"messageId": "m", "body": "poison"}]})

    (handler,) = [part for part in flattened(daemon[1]()) if part["name"] == "## handler"]
    assert handler["annotations"]["correlation_id"] == "request-0 request-1"


async def test_with_tracing_off_the_sdk_is_not_even_imported(invoke, daemon, queue, new_product):
    answer, xray = invoke("buy", request(await new_product(1)), tracing=False)

    assert (answer["statusCode"], xray) == (202, "no xray")
    assert daemon[1]() == []
    ((header, _),) = queue[1]
    assert header is None or PARENT in header  # botocore's own, on Lambda
