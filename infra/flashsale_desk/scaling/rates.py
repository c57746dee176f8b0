"""What a rate of purchases needs: environments, shards, SQS calls, connections; and what ends it.

Sources of the formulas: Little's law (L = λW); for Lambda "Understanding function scaling" of its
developer guide. All rates are purchases per second, all times seconds.
"""

import math
from dataclasses import dataclass

from flashsale_desk.scaling.inputs import Inputs


@dataclass(frozen=True, slots=True)
class Needs:
    """What a sustained rate needs. `backlog`: orders not yet written after 60 s."""

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
    """How long a function computes: it has the part of a vCPU that its memory brings."""
    measured, limits = inputs.measured, inputs.limits
    vcpus = min(1.0, measured.function_mb / limits.mb_per_vcpu)  # our Python uses one at most
    return cpu / (vcpus * measured.vcpu_speed)


def buy_seconds(inputs: Inputs, generation: int) -> float:
    """Duration of one invocation of buy, V4 or V5, warm and without relaying."""
    measured = inputs.measured
    if generation == 4:
        cpu = measured.claim_cpu + measured.send_message_cpu
        return function_seconds(inputs, cpu) + measured.valkey_wait + measured.sqs_wait
    return function_seconds(inputs, measured.v5_cpu) + measured.valkey_wait


def leaders(inputs: Inputs, rate: float) -> float:
    """Environments that are busy relaying on the Lambda edge: one a product at most."""
    measured = inputs.measured
    return measured.products * min(1.0, rate / measured.products * measured.relay_linger_lambda)


def environments(inputs: Inputs, rate: float, generation: int) -> int:
    """Execution environments of buy.

    Little's law, rate × duration; but AWS gives an environment no more than `environment_rps`
    requests a second, which is the larger of the two for anything shorter than 100 ms.
    """
    busy = max(rate * buy_seconds(inputs, generation), rate / inputs.limits.environment_rps)
    return math.ceil(busy + (leaders(inputs, rate) if generation == 5 else 0))


def scaling_seconds(inputs: Inputs, wanted: int) -> float:
    """From none to `wanted` environments: a bucket of tokens, full at first, refilled evenly."""
    limits = inputs.limits
    return max(0.0, (wanted - limits.scaling_burst) / limits.scaling_rate)


def relay_calls(inputs: Inputs, rate: float, pace: float) -> float:
    """SendMessageBatch calls per second of V5.

    One for each purchase while they are rare; then `pace` for each product, however many purchases
    there are; then as many as full calls need.
    """
    measured = inputs.measured
    full = measured.claims_per_envelope * measured.envelopes_per_call
    return max(rate / full, min(rate, pace * measured.products))


def pace_lambda(inputs: Inputs) -> float:
    """Relay calls per second and product on the Lambda edge, at most: SQS' own time is left out."""
    return 1 / inputs.measured.relay_linger_lambda


def tasks(inputs: Inputs, rate: float) -> int:
    """Web tasks of the ASGI edge."""
    measured = inputs.measured
    vcpus = rate * measured.asgi_cpu / measured.vcpu_speed / measured.task_utilisation
    return math.ceil(max(measured.tasks_at_least, vcpus / measured.task_vcpus))


def shard_limit(inputs: Inputs) -> float:
    """Purchases per second of one shard, and so of one product: its keys share a hash tag."""
    return inputs.measured.shard_claims * inputs.measured.shard_share


def shards(inputs: Inputs, rate: float) -> int:
    """Valkey shards; more than there are products do not help."""
    return math.ceil(rate / shard_limit(inputs))


def order_limit(inputs: Inputs) -> float:
    """Orders per second of all environments of order together, in large batches."""
    measured = inputs.measured
    return measured.order_concurrency / function_seconds(inputs, measured.order_cpu)


def ceilings(inputs: Inputs) -> list[tuple[float, str]]:
    """What ends the growth as it is set up, the lowest first: purchases per second, and what."""
    limits, measured = inputs.limits, inputs.measured
    spare = limits.account_concurrency - measured.order_concurrency - measured.rollback_concurrency
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
    """Everything that a sustained rate of purchases needs."""
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
        connections=int(measured.order_concurrency + measured.rollback_concurrency),
        # Their buy holds a connection, and waits for PostgreSQL too: at least as many.
        connections_v2_v3=math.ceil(rate / inputs.limits.environment_rps),
        backlog=max(0.0, rate - written) * 60,
    )
