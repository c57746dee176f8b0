"""The scripts in `lua/` on a real Valkey: every return code, and races."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from redis import Redis

from flashsale.config import Settings
from flashsale.redis_store.return_codes import Decrement
from flashsale.redis_store.scripts import LUA


@pytest.fixture
def redis(settings: Settings):
    client = Redis.from_url(settings.redis_url, decode_responses=True)
    client.flushall()
    yield client
    client.close()


@pytest.fixture
def script(redis):
    return lambda name: redis.register_script((LUA / f"{name}.lua").read_text())


STOCK, RELEASED, SALE = "{p}:stock", "{p}:released", "{p}:sale"


class TestDecrement:
    def test_takes_units_and_returns_the_rest(self, redis, script):
        redis.set(STOCK, 5)

        assert script("decrement")(keys=[STOCK, SALE], args=[2, 4]) == [3]

        assert redis.get(STOCK) == "3"

    def test_takes_the_last_unit(self, redis, script):
        redis.set(STOCK, 1)

        assert script("decrement")(keys=[STOCK, SALE], args=[1, 4]) == [0]

    def test_out_of_stock_takes_nothing(self, redis, script):
        redis.set(STOCK, 1)

        assert script("decrement")(keys=[STOCK, SALE], args=[2, 4]) == [Decrement.SOLD_OUT]

        assert redis.get(STOCK) == "1"

    def test_a_product_that_is_not_on_sale_gets_no_stock(self, redis, script):
        assert script("decrement")(keys=[STOCK, SALE], args=[1, 4]) == [Decrement.NOT_ON_SALE]

        assert not redis.exists(STOCK)

    def test_100_threads_for_10_units_make_exactly_10_winners(self, redis, script, settings):
        redis.set(STOCK, 10)
        decrement = script("decrement")
        together = threading.Barrier(100)

        def buy(_):
            with Redis.from_url(settings.redis_url) as own:
                together.wait()
                return decrement(keys=[STOCK, SALE], args=[1, 4], client=own)[0]

        with ThreadPoolExecutor(100) as pool:
            answers = list(pool.map(buy, range(100)))

        assert sorted(a for a in answers if a >= 0) == list(range(10))
        assert answers.count(Decrement.SOLD_OUT) == 90
        assert redis.get(STOCK) == "0"


class TestRelease:
    def test_returns_units_once(self, redis, script):
        redis.set(STOCK, 0)
        release = script("release")

        answers = [release(keys=[STOCK, RELEASED, SALE], args=["order-1", 2]) for _ in range(3)]

        assert answers == [2, 0, 0]
        assert redis.get(STOCK) == "2"

    def test_each_order_is_released_separately(self, redis, script):
        redis.set(STOCK, 0)

        for order_id in ("a", "b"):
            script("release")(keys=[STOCK, RELEASED, SALE], args=[order_id, 1])

        assert redis.get(STOCK) == "2"

    def test_many_orders_in_one_call_are_released_once_each(self, redis, script):
        redis.set(STOCK, 0)
        keys = [STOCK, RELEASED, SALE]
        script("release")(keys=keys, args=["a", 1])

        answer = script("release")(keys=keys, args=["a", 1, "b", 2, "c", 3, "b", 2])

        assert (answer, redis.get(STOCK)) == (5, "6")

    def test_a_product_that_is_not_on_sale_gets_no_stock(self, redis, script):
        answer = script("release")(keys=[STOCK, RELEASED, SALE], args=["order-1", 1])

        assert answer == -2
        assert not redis.exists(STOCK, RELEASED)


OPEN = [STOCK, RELEASED, SALE, "{p}:ledger", "{p}:buyers", "{p}:holds",
        "{p}:door", "{p}:calls", "{p}:inside", "{p}:used"]  # fmt: skip
NO_ROOM = [""] * 6
SEVEN = [7, "", "", 0, "", 7, "", "", "", 0, 0, *NO_ROOM]
LIMITED = [7, "", "", 1, "", 7, "", "", "", 0, 0, *NO_ROOM]


class TestOpenSale:
    def test_sets_the_stock(self, redis, script):
        assert script("open_sale")(keys=OPEN, args=SEVEN) == 1

        assert redis.get(STOCK) == "7"

    def test_refuses_to_overwrite_a_running_sale_even_if_sold_out(self, redis, script):
        script("open_sale")(keys=OPEN, args=SEVEN)
        redis.set(STOCK, 0)

        assert script("open_sale")(keys=OPEN, args=SEVEN) == 0
        assert script("open_sale")(keys=OPEN, args=LIMITED) == -1

        assert redis.get(STOCK) == "0"

    def test_drops_the_releases_of_an_earlier_sale(self, redis, script):
        redis.sadd(RELEASED, "order-of-an-earlier-sale")

        script("open_sale")(keys=OPEN, args=SEVEN)

        assert not redis.exists(RELEASED)


def test_every_script_has_a_complete_header():
    for path in LUA.glob("*.lua"):
        header = path.read_text()
        for part in (f"-- {path.name}:", "KEYS[1]", "ARGV", "returns"):
            assert part in header, f"{path.name} lacks {part!r}"
