"""Measures how fast a million users join, and what a place costs Redis."""

import itertools

from redis import Redis

from flashsale.redis_store.scripts import QueueKeys
from flashsale_local.console import number
from loadtest.finding import Finding, ratios
from loadtest.rooms.sender import Sender, Sent
from loadtest.rooms.shop import Shop, claims_of, new_users

ROUNDS, CALLS = 50, 20_000
GOAL = 0.7
# Places whose size Redis measures; it estimates the rest.
SAMPLES = 10_000


async def join_in_turn(shop: Shop) -> list[Finding]:
    """Let a million users join a room, in turn with claims of another product, sent the same way.

    Each claim is of a sale without a room.
    """
    redis = Redis.from_url(shop.services.settings.redis_url)
    joins, claims = Sender(redis, "join"), Sender(redis, "claim")
    room, other = await shop.put_on_sale(room=True), await shop.put_on_sale()
    keys = QueueKeys(room)
    joined: list[Sent] = []
    claimed: list[Sent] = []
    for _ in range(ROUNDS):
        users = new_users(CALLS)
        arguments = ((user, "", "", "") for user in users)
        joined.append(joins.send([keys.places, keys.room], arguments))
        claimed.append(claims.send(*claims_of(other, users)))
    assert {*itertools.chain(*(one.answers for one in joined + claimed))} == {1}
    places = ROUNDS * CALLS
    assert redis.hlen(keys.places) == places, "each user has a place"
    size = redis.memory_usage(keys.places, samples=SAMPLES) or 0
    for product_id in (room, other):
        await shop.close(product_id)
    rates = [one.rate for one in joined]
    others = [one.rate for one in claimed]
    return [
        Finding(f"{number(places)} joins: bytes a place", [size / places], digits=0),
        Finding("join.lua: calls per second", rates, digits=0),
        Finding("  µs in the server", [one.cost for one in joined]),
        Finding("claim.lua, plain: calls per second", others, digits=0),
        Finding("  joins ÷ claims, pair by pair", ratios(rates, others), least=GOAL),
    ]
