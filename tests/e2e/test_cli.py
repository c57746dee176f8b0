"""The commands that need a deployment, run as a person runs them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import localstack_client.session
import pytest

FLASHSALE = Path(sys.executable).parent / "flashsale"


@pytest.fixture
def flashsale(deployed):
    environment = {
        **os.environ,
        "REDIS_URL": deployed.redis_url,
        "DATABASE_URL": deployed.database_url,
        "AWS_ENDPOINT_URL": deployed.endpoint_url,
        "FLASHSALE_STACK": deployed.stack_name,
        "COLUMNS": "200",
    }

    def run(*arguments):
        return subprocess.run(
            [FLASHSALE, *arguments],
            env=environment, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    return run


async def test_verify_prints_the_books_for_machines(flashsale, new_product):
    product_id = await new_product(5)

    done = flashsale("verify", "--json", product_id)

    assert done.returncode == 0, done.stderr
    books = json.loads(done.stdout)
    (row,) = books["products"]
    assert (row["product_id"], row["oversold"], row["lost"]) == (product_id, 0, 0)
    assert set(books["waiting"]) == {"orders", "dlq", "parking"}


async def test_verify_fails_when_the_books_are_broken(flashsale, new_product):
    product_id = await new_product(5, in_redis=4)  # a unit is nowhere

    done = flashsale("verify", product_id)

    assert done.returncode == 1
    assert "+1" in done.stdout


def test_status_shows_servers_address_and_queues(flashsale, deployed):
    done = flashsale("status")

    assert done.returncode == 0, done.stderr
    for word in ("valkey", "postgres", deployed.api.url, "orders", "dlq", "parking"):
        assert word in done.stdout


def test_logs_shows_one_function(flashsale, deployed, http):
    http.get("/health")

    done = flashsale("logs", "buy")

    assert done.returncode == 0, done.stderr
    assert "GET /health" in done.stdout
    assert flashsale("logs", "no-such").returncode == 1


def test_dlq_ls_peek_and_redrive(flashsale, deployed, sqs):
    sqs.send_message(QueueUrl=deployed.queues["parking"], MessageBody='{"poison": true}')

    listed = flashsale("dlq", "ls")
    peeked = flashsale("dlq", "peek", "parking")
    sqs.purge_queue(QueueUrl=deployed.queues["parking"])
    empty = flashsale("dlq", "peek", "parking")
    moved = flashsale("dlq", "redrive", "parking")

    assert "parking" in listed.stdout
    assert '{"poison": true}' in peeked.stdout
    assert "received 0 times" in peeked.stdout
    assert "No messages in parking" in empty.stdout
    assert "0 messages moved from parking to dlq" in moved.stdout


def test_localstack_client_needs_no_address(deployed):
    """The README says so; it is how `awslocal` finds an emulator, too."""
    session = localstack_client.session.Session()

    url = session.client("sqs").get_queue_url(QueueName=f"{deployed.stack_name}-orders")

    assert url["QueueUrl"].rpartition("/")[2] == f"{deployed.stack_name}-orders"
