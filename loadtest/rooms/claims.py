"""Measures what a claim costs Redis behind a waiting room, and in other sales."""

from redis import Redis

from loadtest.finding import Finding, ratios
from loadtest.rooms.sender import Sender, Sent
from loadtest.rooms.shop import Shop, claims_of, new_users

ROUNDS, CALLS = 31, 5_000
# What a sale has: whether its terms have a start, which each claim compares, and whether a room.
SALES = {
    "plain": (False, False),
    "room": (False, True),
    "start": (True, False),
    "start and room": (True, True),
}
# Each sale with a room, and the same without. The design's goal is for the calls per second.
PAIRS = {"room": "plain", "start and room": "start"}
GOAL = 0.88


async def claim_in_turn(shop: Shop) -> list[Finding]:
    """Claim in sales with and without a room, in turn."""
    sender = Sender(Redis.from_url(shop.services.settings.redis_url), "claim")
    names = list(SALES)
    sent: dict[str, list[Sent]] = {name: [] for name in names}
    for number in range(ROUNDS + 1):
        for name in names if number % 2 else reversed(names):
            made = await _claim(shop, sender, *SALES[name])
            if number:  # the first round fills caches
                sent[name].append(made)
    rates = {name: [one.rate for one in sent[name]] for name in names}
    costs = {name: [one.cost for one in sent[name]] for name in names}
    found = []
    for name in names:
        found.append(Finding(f"claim.lua, {name}: calls per second", rates[name], digits=0))
        found.append(Finding("  µs in the server", costs[name]))
    for name, other in PAIRS.items():
        both = ratios(rates[name], rates[other])
        found.append(Finding(f"{name} ÷ {other}: calls per second", both, least=GOAL))
        inside = ratios(costs[other], costs[name])
        found.append(Finding("  the same by the time in the server", inside))
    return found


async def _claim(shop: Shop, sender: Sender, starts: bool, room: bool) -> Sent:  # noqa: FBT001
    product_id = await shop.put_on_sale(starts=starts, room=room)
    users = new_users(CALLS)
    if room:
        await shop.let_in(product_id, users)
    sent = sender.send(*claims_of(product_id, users))
    assert set(sent.answers) == {1}, "each claim got a unit"
    await shop.close(product_id)
    return sent
