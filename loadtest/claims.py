"""Measures what a claim costs Valkey, compared with a constant script and as a sale grows."""

import statistics
import time
import uuid
from collections.abc import Callable

from redis import Redis

from flashsale.domain.model import V5, Supply, Terms
from flashsale.redis_store.opening_script import opening_call
from flashsale.redis_store.scripts import LUA, Keys

CALLS = 20_000
PIPELINED = 16
ROUNDS = 5


def claim_costs(url: str) -> list[tuple[str, list[float]]]:
    """Return calls per second by situation, each measured `ROUNDS` times in turn with the others.

    One connection sends 16 commands in each round trip.
    """
    redis = Redis.from_url(url)
    constant = redis.script_load("return {1, '1-1', 1, 0}")
    claim = redis.script_load((LUA / "claim.lua").read_text())
    open_sale = redis.script_load((LUA / "open_sale.lua").read_text())
    made: list[str] = []

    def sale(units: int) -> str:
        product_id = f"bench-{uuid.uuid4().hex[:10]}"
        terms = Terms(generation=V5)
        names, arguments = opening_call(
            units, terms, {}, Supply(product_id, units, units, 0), None, again=False
        )
        redis.evalsha(open_sale, len(names), *names, *arguments)
        made.append(product_id)
        return product_id

    def rate(products: list[str], calls: int, script: str) -> float:
        names = [_claim_keys(product_id) for product_id in products]
        started = time.perf_counter()
        for first in range(0, calls, PIPELINED):
            pipeline = redis.pipeline(transaction=False)
            for number in range(first, first + PIPELINED):
                keys = names[number % len(names)]
                arguments = ("u-00001", 1, "c" * 32, "token", 3000, 86400)
                pipeline.evalsha(script, len(keys), *keys, *arguments)
            pipeline.execute()
        return calls / (time.perf_counter() - started)

    many, crowded = [sale(10**7) for _ in range(1000)], sale(10**7)
    rate([crowded], 100_000, claim)  # claims that nobody settles
    situations: dict[str, Callable[[], float]] = {
        "EVALSHA that returns a constant": lambda: rate([sale(1)], CALLS, constant),
        "stock of 100": lambda: statistics.median(rate([sale(100)], 96, claim) for _ in range(100)),
        "stock of 10⁴": lambda: rate([sale(10**4)], 10**4 - 16, claim),
        "stock of 10⁷": lambda: rate([sale(10**7)], CALLS, claim),
        "1,000 products on sale": lambda: rate(many, CALLS, claim),
        "100,000 unsettled claims": lambda: rate([crowded], CALLS, claim),
    }
    found: dict[str, list[float]] = {name: [] for name in situations}
    for _ in range(ROUNDS):
        for name, measure in situations.items():
            found[name].append(measure())
    for product_id in made:
        keys = Keys(product_id)
        redis.delete(keys.stock, keys.sale, keys.ledger, keys.lease)
    return list(found.items())


def _claim_keys(product_id: str) -> list[str]:
    keys = Keys(product_id)
    return [keys.stock, keys.ledger, keys.sale, keys.buyers, keys.lease, keys.inside]
