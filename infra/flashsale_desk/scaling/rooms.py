"""What a crowd in a waiting room needs, and what its polls cost.

Everybody polls the same document, which CloudFront keeps for a second. So what reaches the origin
depends on the number of caches, not on the crowd.
"""

from dataclasses import dataclass

from flashsale_desk.scaling.costs import invocation
from flashsale_desk.scaling.inputs import Inputs

# People for whom the tables are made.
CROWDS = (10_000, 100_000, 1_000_000)


@dataclass(frozen=True, slots=True)
class Waiting:
    """What a number of people who wait needs. Rates are per second, costs are USD of the wait.

    Attributes:
        poll_after: seconds between two polls of one client, on average.
        origin: polls that reach the origin, at most.
        redis_commands: for those, at most.
        joins: if all of them join within the time of the wait.
        uncached: the polls, if each were a call of the HTTP API and of Lambda.

    """

    people: int
    megabytes: float
    poll_after: float
    polls: float
    origin: float
    redis_commands: float
    joins: float
    usd: dict[str, float]
    uncached: float


def poll_after(inputs: Inputs, people: float) -> float:
    """Return the seconds between two polls of one client; the jitter does not change their mean."""
    measured = inputs.measured
    wanted = people / measured.poll_people
    return min(max(wanted, measured.poll_least), measured.poll_most)


def waiting(inputs: Inputs, people: int) -> Waiting:
    """Return what so many people need, while nobody of them is called."""
    prices, measured = inputs.prices, inputs.measured
    seconds = measured.room_minutes * 60
    after = poll_after(inputs, people)
    polls = people / after
    origin = min(polls, measured.edge_caches)
    call = prices.http_api_request + measured.log_bytes / 1e9 * prices.logs_gb
    join = call + invocation(inputs, measured.claim_cpu, measured.valkey_wait)
    return Waiting(
        people=people,
        megabytes=people * measured.place_bytes / 1e6,
        poll_after=after,
        polls=polls,
        origin=origin,
        redis_commands=origin * measured.room_looks,
        joins=people / seconds,
        usd={
            "CloudFront, requests": polls * seconds * prices.cloudfront_request,
            "CloudFront, data": polls * seconds * measured.room_bytes / 1e9 * prices.cloudfront_gb,
            "WAF": polls * seconds * prices.waf_request,
            "joins, HTTP API": people * join,
        },
        uncached=polls * seconds * (call + invocation(inputs, measured.claim_cpu, 0)),
    )
