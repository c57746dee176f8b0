"""What a rate of purchases needs (environments, shards, calls, connections), and what limits it.

Sources of the formulas: Little's law (L = λW), and for Lambda "Understanding function scaling" in
its developer guide. All rates are purchases per second, all times are seconds.
"""

import math
from dataclasses import dataclass

from flashsale_desk.scaling.inputs import Inputs


@dataclass(frozen=True, slots=True)
class Needs:
    """What a sustained rate needs; `backlog` is the orders that wait after 60 s."""

    rate: float
    environments_v4: int
    environments_v5: int
    scaling_seconds: float
    concurrency_share: float
    tasks: int
    shards: int
    sends_v4: float
    sends_v5_lambda: float
    sends_v5_asgi: float
    connections: int
    connections_v2_v3: int
    backlog: float


def function_seconds(inputs: Inputs, cpu: float) -> float:
    """Return how long a function computes on the part of a vCPU that its memory brings."""
    measured, limits = inputs.measured, inputs.limits
    vcpus = min(1.0, measured.function_mb / limits.mb_per_vcpu)  # our Python uses one at most
    return cpu / (vcpus * measured.vcpu_speed)


def buy_seconds(inputs: Inputs, generation: int) -> float:
    """Return the duration of an invocation of buy (V4 or V5), warm and without relaying."""
    measured = inputs.measured
    if generation == 4:
        cpu = measured.claim_cpu + measured.send_message_cpu
        return function_seconds(inputs, cpu) + measured.valkey_wait + measured.sqs_wait
    return function_seconds(inputs, measured.v5_cpu) + measured.valkey_wait


def leaders(inputs: Inputs, rate: float) -> float:
    """Return the environments that relay on the Lambda edge: at most one for each product."""
    measured = inputs.measured
    return measured.products * min(1.0, rate / measured.products * measured.relay_linger_lambda)


def environments(inputs: Inputs, rate: float, generation: int) -> int:
    """Return the execution environments of buy.

    By Little's law they are rate × duration. But AWS gives an environment at most `environment_rps`
    requests per second, which needs more environments where a request takes less than 100 ms.
    """
    busy = max(rate * buy_seconds(inputs, generation), rate / inputs.limits.environment_rps)
    return math.ceil(busy + (leaders(inputs, rate) if generation == 5 else 0))


def scaling_seconds(inputs: Inputs, wanted: int) -> float:
    """Return the time from 0 to `wanted` environments, by a token bucket that is full at first."""
    limits = inputs.limits
    return max(0.0, (wanted - limits.scaling_burst) / limits.scaling_rate)


def relay_calls(inputs: Inputs, rate: float, pace: float) -> float:
    """Return the SendMessageBatch calls per second of V5.

    At low rates there is one call for each purchase. Then there are `pace` calls for each product,
    until the calls are full.
    """
    measured = inputs.measured
    full = measured.claims_per_envelope * measured.envelopes_per_call
    return max(rate / full, min(rate, pace * measured.products))


def pace_lambda(inputs: Inputs) -> float:
    """Return the most relay calls per second and product on the Lambda edge, without SQS' time."""
    return 1 / inputs.measured.relay_linger_lambda


def tasks(inputs: Inputs, rate: float) -> int:
    """Return the web tasks of the ASGI edge."""
    measured = inputs.measured
    vcpus = rate * measured.asgi_cpu / measured.vcpu_speed / measured.task_utilisation
    return math.ceil(max(measured.tasks_at_least, vcpus / measured.task_vcpus))


def shard_limit(inputs: Inputs) -> float:
    """Return the purchases per second of one shard, and so of one product (hash tags)."""
    return inputs.measured.shard_claims * inputs.measured.shard_share


def shards(inputs: Inputs, rate: float) -> int:
    """Return the Valkey shards; more shards than products do not help."""
    return math.ceil(rate / shard_limit(inputs))


def order_limit(inputs: Inputs) -> float:
    """Return the orders per second of all environments of order together, in large batches."""
    measured = inputs.measured
    return measured.order_concurrency / function_seconds(inputs, measured.order_cpu)


def consumers(inputs: Inputs) -> float:
    """Return the most environments of order, rollback and payment together."""
    measured = inputs.measured
    of_orders = measured.order_concurrency + measured.rollback_concurrency
    return of_orders + measured.payment_concurrency


def ceilings(inputs: Inputs) -> list[tuple[float, str]]:
    """Return the limits of this setup, the lowest first: purchases per second, and what limits."""
    limits, measured = inputs.limits, inputs.measured
    spare = limits.account_concurrency - consumers(inputs)
    duration = max(buy_seconds(inputs, 5), 1 / limits.environment_rps)
    return sorted(
        [
            (measured.orders_persisted, "orders that PostgreSQL was seen to write"),
            (order_limit(inputs), "order functions at their MaximumConcurrency"),
            (shard_limit(inputs), "one shard, and so one product"),
            ((spare - measured.products) / duration, "account concurrency (Lambda edge)"),
            (limits.http_api_rps, "API Gateway's account throttle (HTTP API)"),
        ]
    )


def needs(inputs: Inputs, rate: float) -> Needs:
    """Return what a sustained rate of purchases needs."""
    measured = inputs.measured
    wanted = environments(inputs, rate, 5)
    written = min(measured.orders_persisted, order_limit(inputs))
    return Needs(
        rate=rate,
        environments_v4=environments(inputs, rate, 4),
        environments_v5=wanted,
        scaling_seconds=scaling_seconds(inputs, wanted),
        concurrency_share=wanted / inputs.limits.account_concurrency,
        tasks=tasks(inputs, rate),
        shards=shards(inputs, rate),
        sends_v4=rate,
        sends_v5_lambda=relay_calls(inputs, rate, pace_lambda(inputs)),
        sends_v5_asgi=relay_calls(inputs, rate, measured.relay_calls_asgi),
        connections=int(consumers(inputs)),
        # A lower bound: their buy holds a connection and also waits for PostgreSQL.
        connections_v2_v3=math.ceil(rate / inputs.limits.environment_rps),
        backlog=max(0.0, rate - written) * 60,
    )
