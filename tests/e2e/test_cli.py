"""The commands that need a deployment, run in a subprocess."""

import json

import localstack_client.session


async def test_verify_prints_the_books_as_json(flashsale, new_product):
    product_id = await new_product(5)

    done = flashsale("verify", "--json", product_id)

    assert done.returncode == 0, done.stderr
    books = json.loads(done.stdout)
    (row,) = books["products"]
    assert (row["product_id"], row["oversold"], row["lost"]) == (product_id, 0, 0)
    assert set(books["waiting"]) == {"orders", "dlq", "parking"}


async def test_verify_fails_when_the_books_are_broken(flashsale, new_product):
    product_id = await new_product(5, in_redis=4)  # one unit is lost

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


def test_localstack_client_needs_no_url(deployed):
    """docs/running.md says so; it is how `awslocal` finds an emulator, too."""
    session = localstack_client.session.Session()

    url = session.client("sqs").get_queue_url(QueueName=f"{deployed.stack_name}-orders")

    assert url["QueueUrl"].rpartition("/")[2] == f"{deployed.stack_name}-orders"
