"""Claims on a Redis as AWS offers it: TLS, cluster mode, and the rights of infra/aws."""

import traceback
from dataclasses import replace

import pytest
import trustme
from redis.asyncio import Redis

from flashsale.domain.claims import Claim, Claimed
from flashsale.domain.model import Refusal
from flashsale.errors import StockUnavailable
from flashsale.services import Services
from flashsale.usecases.compensate import compensate
from flashsale.usecases.place_orders import place_orders
from flashsale.usecases.rebuild import rebuild
from flashsale.usecases.relay import LAMBDA_PACE, LEASE_MS, TOKEN, relay, sweep
from flashsale_local.stack.program import HOST
from tests.helpers.queued import Queue, books_of
from tests.helpers.support import USERS
from tests.integration import secured

# Not in the test that uses it, because a traceback shows that line.
WRONG = "wrong-secret"


@pytest.fixture(scope="module")
def ca():
    return trustme.CA()


@pytest.fixture(scope="module", params=["single", "cluster"])
def server(request, stack, ca):
    running, stop = secured.start(stack, ca, cluster=request.param == "cluster")
    yield running
    stop()


@pytest.fixture
async def connect(migrated):
    made = []

    def make(redis_url):
        made.append(Services(replace(migrated, redis_url=redis_url)))
        return made[-1]

    yield make
    for services in made:
        await services.close()


@pytest.fixture
def services(connect, server):
    services = connect(server.url())
    services.order_queue = Queue()
    return services


async def claim(services, product_id, user, quantity=1):
    return await services.ledger.claim(Claim(product_id, user, quantity), TOKEN, LEASE_MS)


async def test_the_books_of_a_sale_balance(services, new_product):
    product_id = await new_product(5)
    assert await services.stock.left([product_id]) == [5]

    answers = [await claim(services, product_id, user) for user in USERS[:6]]
    assert await relay(services, product_id, LAMBDA_PACE) == 5
    placed = await place_orders(services, services.order_queue.take())

    assert [type(answer) for answer in answers[:5]] == [Claimed] * 5
    assert answers[5] is Refusal.SOLD_OUT
    assert len(placed.confirmed) == 5
    books = await books_of(services, product_id)
    assert (books.confirmed, books.unsettled, books.ledger.settled, books.lost) == (5, 0, 5, 0)


async def test_a_claim_that_cannot_become_an_order_is_released(services, new_product):
    product_id = await new_product(2)
    await claim(services, product_id, "nobody-we-know")
    await relay(services, product_id, LAMBDA_PACE)

    await compensate(services, services.order_queue.take())

    books = await books_of(services, product_id)
    assert (books.ledger.stock, books.unsettled, books.lost) == (2, 0, 0)


async def test_a_claim_whose_message_is_lost_is_swept(services, new_product):
    product_id = await new_product(2)
    await claim(services, product_id, USERS[0])
    await relay(services, product_id, LAMBDA_PACE)
    services.order_queue.take()  # the queue was purged
    services.settings = replace(services.settings, sweep_after=0)

    await sweep(services, product_ids=[product_id])

    assert len((await place_orders(services, services.order_queue.take())).confirmed) == 1


async def test_a_sale_is_rebuilt(services, new_product):
    product_id = await new_product(3)
    await claim(services, product_id, USERS[0])
    await relay(services, product_id, LAMBDA_PACE)
    await place_orders(services, services.order_queue.take())

    assert await rebuild(services, [product_id], lambda: 0, 30, grace=0) == {product_id: 2}


async def test_the_functions_user_has_no_dangerous_rights(server):
    redis = Redis.from_url(server.url().replace("+cluster", ""))
    for command in ("FLUSHALL", "CONFIG GET *", "KEYS *", "EVAL return 0", "ACL LIST", "SHUTDOWN"):
        with pytest.raises(Exception, match=r"(?i)no permissions|noperm"):
            await redis.execute_command(*command.split())
    await redis.aclose()


async def test_a_server_of_an_unknown_ca_is_rejected(connect, server, tmp_path):
    other = tmp_path / "other-ca.pem"
    trustme.CA().cert_pem.write_to_path(other)

    with pytest.raises(StockUnavailable, match=r"(?i)certificate verify failed"):
        await connect(server.url(ca=other)).stock.ping()


async def test_a_server_with_another_name_is_rejected(connect, server):
    with pytest.raises(StockUnavailable, match=r"(?i)certificate verify failed"):
        await connect(server.url(host="127.1")).stock.ping()


async def test_a_wrong_password_is_rejected_and_no_secret_is_shown(connect, server):
    with pytest.raises(StockUnavailable) as refused:
        await connect(server.url(password=WRONG)).stock.ping()

    told = "".join(traceback.format_exception(refused.value))
    assert "invalid username-password pair" in told
    assert WRONG not in told
    assert secured.PASSWORD not in told


async def test_a_connection_without_tls_fails(connect, server):
    plain = server.url().replace("rediss", "redis", 1).partition("?")[0]

    with pytest.raises(StockUnavailable):
        await connect(plain).stock.ping()
    assert HOST in plain
