"""A store that answers and refuses: its state is retryable, a wrong request is a bug."""

import uuid

import pytest

from flashsale.redis_store.scripts import Keys
from tests.helpers.support import USERS
from tests.integration.troubles.conftest import ask_all, well_again
from tests.integration.troubles.edges import AsgiEdge
from tests.integration.troubles.refusals import REDIS_REFUSALS, read_only_postgresql
from tests.integration.troubles.routes import (
    POSTGRESQL,
    REDIS,
    ROUTES,
    assert_unavailable,
    named,
)

# In these states Redis also rejects reads.
DEAF = {"BUSY", "MASTERDOWN"}
# Routes that write to Redis. Cancel and open name things that do not exist.
WRITING = ("/buy", "/health", "/pause", "/restock", "/open")
# Routes that read an order before they write, and there is none here.
READS_FIRST = ("/api/v5/orders/{order}/cancel", "/api/v5/orders/{order}/payment")


def writes(route, store):
    return store in route.needs and route.path.endswith(WRITING)


def route_of(path, *, key=False):
    return next(route for route in ROUTES if route.path == path and route.key is key)


@pytest.mark.parametrize("code", REDIS_REFUSALS)
async def test_a_redis_that_rejects_writes_is_a_503_and_scripts_stay_atomic(
    edge, products, redis, code
):
    keys = [key for product_id in products.values() for key in vars_of(product_id)]
    before = dumped(redis, keys)
    with REDIS_REFUSALS[code](redis):
        answered = await ask_all(edge, products, ROUTES)

    for route, answer in answered:
        assert answer.status in (route.status, 503), (named(route), answer)
        if writes(route, REDIS) or (code in DEAF and REDIS in route.needs):
            assert_unavailable(answer, route)
    assert dumped(redis, keys) == before
    await well_again(edge, products)


def vars_of(product_id):
    keys = Keys(product_id)
    return (
        keys.stock, keys.ledger, keys.sale, keys.buyers, keys.released, keys.lease,
        keys.unrecorded,
    )  # fmt: skip


def dumped(redis, keys):
    return {key: redis.dump(key) for key in keys}


async def test_a_read_only_postgresql_is_a_503_on_routes_that_write(edge, products, troubled):
    with read_only_postgresql(troubled.database_url):
        answered = await ask_all(edge, products, ROUTES)

    for route, answer in answered:
        expected = route.status_without(POSTGRESQL)
        assert answer.status in (expected, 503), (named(route), answer)
        writing = route.method == "POST" and POSTGRESQL in route.needs
        if (writing and route.path not in READS_FIRST) or route.path == "/health":
            assert_unavailable(answer, route)
    await well_again(edge, products)


@pytest.mark.parametrize("edge", [AsgiEdge], indirect=True)
async def test_a_wrong_request_to_redis_is_a_bug(edge, products, redis):
    route = route_of("/api/v5/buy")
    stock = Keys(products[route]).stock
    redis.delete(stock)
    redis.rpush(stock, "no number")

    answer = await route.ask(edge, products[route])

    redis.delete(stock)
    assert (answer.status, answer.json["code"]) == (500, "internal")
    assert "retry-after" not in answer.headers


@pytest.mark.parametrize("edge", [AsgiEdge], indirect=True)
async def test_a_statement_that_postgresql_does_not_understand_is_a_bug(
    edge, products, monkeypatch
):
    monkeypatch.setattr("flashsale.postgres_store.database.sql", lambda _: "SELECT no_such_column")

    answer = await route_of("/api/products").ask(edge, "")

    assert answer.status == 500
    assert "retry-after" not in answer.headers


REFUSED, UNCERTAIN, OURS = "refused", "uncertain", "ours"


def error(code):
    return b'{"__type": "com.amazonaws.sqs#%s", "message": "no"}' % code.encode()


@pytest.mark.parametrize(
    ("status", "body", "verdict"),
    [
        (400, error("ThrottlingException"), REFUSED),
        (403, error("AccessDeniedException"), REFUSED),
        (400, error("QueueDoesNotExist"), REFUSED),
        (404, b"<html>no such page</html>", REFUSED),
        (400, error("NobodyKnowsThisCode"), REFUSED),
        (500, error("InternalFailure"), UNCERTAIN),
        (503, b"", UNCERTAIN),
        (502, b"<html>bad gateway</html>", UNCERTAIN),
        (200, b"<html>a portal that wants you to sign in</html>", UNCERTAIN),
        (200, b"[1, 2]", UNCERTAIN),
        (200, b'"text"', UNCERTAIN),
        (200, b"{truncated", UNCERTAIN),
        (200, b"\xff\xfe", UNCERTAIN),
        (400, error("InvalidMessageContents"), OURS),
    ],
)
async def test_an_answer_of_sqs_to_a_push(edge, products, redis, sqs, status, body, verdict):
    """Units return to the stock only if SQS certainly does not have the message."""
    route = route_of("/api/v4/buy")
    stock = Keys(products[route]).stock
    before = int(redis.get(stock))
    with sqs.refusing_with(status, body):
        answer = await route.ask(edge, products[route])

    if verdict is OURS:
        assert answer.status == 500
    else:
        assert_unavailable(answer, route)
    assert before - int(redis.get(stock)) == (1 if verdict is UNCERTAIN else 0)
    assert (await route.ask(edge, products[route])).status == 202


@pytest.mark.parametrize("edge", [AsgiEdge], indirect=True)
@pytest.mark.parametrize("body", [b"[1, 2]", b"{truncated", b"{}", b"<html></html>", b"\xff"])
async def test_health_is_up_only_after_a_valid_answer(edge, products, sqs, body):
    with sqs.refusing_with(200, body):
        answer = await edge.ask("GET", "/health")

    assert answer.status == 503
    assert answer.json["services"] == {"redis": "up", "postgresql": "up", "sqs": "down"}


@pytest.mark.parametrize("path", ["/health", "/api/products", "/api/products/{product}",
                                  "/api/v5/products/{product}/stock", "/api/admin/books",
                                  "/api/admin/audit", "/openapi.json", "/docs", "/"])  # fmt: skip
async def test_head_is_get_without_a_body(edge, products, path):
    path = path.format(product=next(iter(products.values())))
    got = await edge.ask("GET", path)
    headed = await edge.ask("HEAD", path)

    assert (headed.status, headed.text) == (200, "")
    assert headed.headers["content-type"] == got.headers["content-type"]
    assert "content-length" in headed.headers


async def test_head_without_a_get_route_is_not_allowed(edge, products):
    answer = await edge.ask("HEAD", "/api/v5/buy")

    assert (answer.status, answer.text) == (405, "")


@pytest.mark.parametrize("edge", [AsgiEdge], indirect=True)
async def test_a_rejected_claim_can_be_repeated_with_its_key(edge, products, redis):
    route = route_of("/api/v5/buy", key=True)
    body = {"productId": products[route], "userId": USERS[1]}
    key = uuid.uuid4().hex
    with REDIS_REFUSALS["OOM"](redis):
        refused = await edge.ask("POST", route.path, body, **{"idempotency-key": key})
    answers = [
        await edge.ask("POST", route.path, body, **{"idempotency-key": key}) for _ in range(2)
    ]

    assert refused.status == 503
    assert [answer.status for answer in answers] == [202, 202]
    assert len({answer.json["orderId"] for answer in answers}) == 1
