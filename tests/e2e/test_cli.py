"""The commands that need a deployment, run as subprocesses."""

import json
import signal

import localstack_client.session

from tests.helpers.support import eventually


async def test_verify_prints_the_books_for_machines(flashsale, new_product):
    product_id = await new_product(5)

    done = flashsale("verify", "--json", product_id)

    assert done.returncode == 0, done.stderr
    books = json.loads(done.stdout)
    (row,) = books["products"]
    assert (row["product_id"], row["oversold"], row["lost"]) == (product_id, 0, 0)
    assert set(books["waiting"]) == {"orders", "dlq", "parking", "payments", "payments-dlq"}


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


async def test_neither_status_nor_verify_shows_a_password(flashsale, deployed, new_product):
    await new_product(1)
    # The stores of these tests accept any password.
    redis = deployed.redis_url.replace("://", "://default:s3cret@")
    database = deployed.database_url.replace("postgres@", "postgres:s3cret@")

    for command in (["status"], ["verify", "--json"]):
        done = flashsale(*command, REDIS_URL=redis, DATABASE_URL=database)

        assert done.stdout, done.stderr
        assert "s3cret" not in done.stdout + done.stderr


def test_logs_shows_one_function(flashsale, deployed, http):
    def shown():  # ministack takes a line that comes late with the next invocation
        http.get("/health")
        done = flashsale("logs", "buy")
        assert done.returncode == 0, done.stderr
        return "GET /health" in done.stdout

    eventually(shown)
    assert flashsale("logs", "no-such").returncode == 1


def test_logs_follow_prints_new_lines_until_an_interrupt(flashsale_process, http):
    http.get("/health")
    with flashsale_process("logs", "buy", "--follow", "--json", "--limit", "1") as process:
        process.stdout.readline()  # it has read what was there before
        for _ in range(3):  # ministack takes a line that comes late with the next invocation
            http.get("/api/products/followed")

        new = (json.loads(line) for line in process.stdout)
        found = next(one for one in new if "followed" in one["message"])
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=60)

    assert (found["function"], found["level"]) == ("buy", "INFO")
    assert found["message"] == "GET /api/products/followed"
    assert process.returncode == 130
    assert "Interrupted." in told
    assert "Traceback" not in told


def test_logs_errors_leave_out_what_went_well(flashsale, http):
    http.get("/health")

    assert "GET /health" not in flashsale("logs", "buy", "--errors").stdout


def test_status_and_queues_are_one_json_document_each(flashsale, deployed):
    status = json.loads(flashsale("status", "--json").stdout)
    queues = json.loads(flashsale("dlq", "ls", "--json").stdout)

    up = {server["name"]: server["up"] for server in status["servers"]}
    assert up["valkey"] is up["postgres"] is up[deployed.emulator] is True
    assert status["apis"]["lambda"]["url"] == deployed.api.url
    assert status["access"]["lambda"]["auth"] == "none"
    assert set(queues["queues"]) == {"orders", "dlq", "parking", "payments", "payments-dlq"}
    assert set(status["payments"]) == {"waiting", "refund_due"}
    assert set(queues["queues"]["dlq"]) == {"ready", "in_flight", "delayed"}


def test_the_json_of_status_says_what_is_down(flashsale):
    done = flashsale("status", "--json", AWS_ENDPOINT_URL="http://127.0.0.1:1")

    status = json.loads(done.stdout)
    (emulator,) = [one for one in status["servers"] if one["address"] == "http://127.0.0.1:1"]
    assert done.returncode == 1
    assert (emulator["up"], emulator["version"]) == (False, "")
    assert "The stack is down" in status["problem"]


def test_dlq_ls_peek_and_redrive(flashsale, deployed, sqs):
    sqs.send_message(QueueUrl=deployed.queues["parking"], MessageBody='{"poison": true}')

    listed = flashsale("dlq", "ls")
    peeked = flashsale("dlq", "peek", "parking")
    (message,) = json.loads(flashsale("dlq", "peek", "parking", "--json").stdout)["messages"]
    sqs.purge_queue(QueueUrl=deployed.queues["parking"])
    empty = flashsale("dlq", "peek", "parking")
    moved = flashsale("dlq", "redrive", "parking")

    assert "parking" in listed.stdout
    assert '{"poison": true}' in peeked.stdout
    assert "received 0 times" in peeked.stdout
    assert message["body"] == '{"poison": true}'
    assert set(message) == {"queue", "id", "receives", "cause", "body"}
    assert "No messages in parking" in empty.stdout
    assert "0 messages moved from parking to dlq" in moved.stdout


def test_localstack_client_needs_no_address(deployed):
    """docs/running.md says so. `awslocal` finds an emulator in the same way."""
    session = localstack_client.session.Session()

    url = session.client("sqs").get_queue_url(QueueName=f"{deployed.stack_name}-orders")

    assert url["QueueUrl"].rpartition("/")[2] == f"{deployed.stack_name}-orders"
