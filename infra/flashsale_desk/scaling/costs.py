"""Costs of a sustained rate of V5 purchases on each edge, and where the cheaper edge changes."""

import math
from collections.abc import Callable
from enum import StrEnum
from itertools import pairwise

from flashsale_desk.scaling import rates
from flashsale_desk.scaling.inputs import Inputs

HOUR = 3600
MILLION = 1_000_000


class Edge(StrEnum):
    """What terminates HTTP, and what is in front of it."""

    HTTP_API = "lambda, HTTP API"
    FUNCTION_URL = "lambda, Function URL"
    ASGI = "asgi"


LAMBDA_EDGES = (Edge.HTTP_API, Edge.FUNCTION_URL)


def hourly(inputs: Inputs, edge: Edge, rate: float) -> dict[str, float]:
    """Return USD per hour by purpose, at `rate` purchases per second."""
    pace = inputs.measured.relay_calls_asgi if edge is Edge.ASGI else rates.pace_lambda(inputs)
    calls = rates.relay_calls(inputs, rate, pace)
    messages = max(calls, rate / inputs.measured.claims_per_envelope)
    own = _containers(inputs, rate) if edge is Edge.ASGI else _functions(inputs, edge, rate)
    return {
        **own,
        "order function": _order(inputs, rate, messages),
        "SQS": _sqs(inputs, rate, calls, messages),
        "Valkey": rates.shards(inputs, rate) * inputs.prices.valkey_node_hour,
        # A larger instance of the same family costs proportionally more.
        "PostgreSQL": math.ceil(rate / inputs.measured.orders_persisted)
        * inputs.prices.postgres_instance_hour,
    }


def per_million(inputs: Inputs, edge: Edge, rate: float) -> float:
    """Return USD per million purchases."""
    return sum(hourly(inputs, edge, rate).values()) / (rate * HOUR) * MILLION


def crossover(inputs: Inputs, lambda_edge: Edge) -> float | None:
    """Return the lowest sustained rate from which the ASGI edge costs no more; None without one.

    The search covers 0.01 to 100,000 purchases per second. Where a task is added, the costs of the
    ASGI edge jump, so bisection ends where both edges cost the same. (The Lambda edge has a jump at
    48,000 per second, where its SQS calls become larger than 64 KB.)
    """

    def saved(rate: float) -> float:
        there, here = hourly(inputs, lambda_edge, rate), hourly(inputs, Edge.ASGI, rate)
        return sum(there.values()) - sum(here.values())

    steps = [10 ** (power / 20) for power in range(-40, 101)]
    for low, high in pairwise(steps):
        if saved(high) >= 0:
            return _bisect(saved, low, high)
    return None


def _bisect(saved: Callable[[float], float], low: float, high: float) -> float:
    """Return where `saved` becomes positive; it is negative at `low` and not at `high`."""
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if saved(middle) >= 0 else (middle, high)
    return high


def invocation(inputs: Inputs, cpu: float, wait: float) -> float:
    """Return USD of one invocation that computes, and then waits for that long."""
    billed = rates.function_seconds(inputs, cpu) + wait + inputs.limits.billing_step / 2
    gigabytes = inputs.measured.function_mb / 1024
    return inputs.prices.lambda_request + billed * gigabytes * inputs.prices.lambda_gb_second


def _gb_seconds(inputs: Inputs, busy: float) -> float:
    """Return USD per hour of `busy` environments that are billed all the time."""
    return busy * HOUR * inputs.measured.function_mb / 1024 * inputs.prices.lambda_gb_second


def _functions(inputs: Inputs, edge: Edge, rate: float) -> dict[str, float]:
    prices = inputs.prices
    gateway = prices.http_api_request if edge is Edge.HTTP_API else prices.function_url_request
    billed = rates.buy_seconds(inputs, 5) + inputs.limits.billing_step / 2  # rounded up, on average
    busy = rate * billed + rates.leaders(inputs, rate)
    return {
        "front door": rate * HOUR * gateway,
        "compute": rate * HOUR * prices.lambda_request + _gb_seconds(inputs, busy),
        "logs": rate * HOUR * inputs.measured.log_bytes / 1e9 * prices.logs_gb,
        "network": 0.0,  # both edges need the endpoint of SQS
    }


def _containers(inputs: Inputs, rate: float) -> dict[str, float]:
    prices, measured, limits = inputs.prices, inputs.measured, inputs.limits
    tasks = rates.tasks(inputs, rate)
    vcpus = tasks * measured.task_vcpus + measured.relay_vcpus
    gigabytes = tasks * measured.task_gb + measured.relay_gb
    lcus = max(
        rate * measured.connections_per_purchase / limits.lcu_connections,
        rate * HOUR * measured.purchase_bytes / limits.lcu_bytes,
    )
    return {
        "front door": prices.alb_hour + lcus * prices.alb_lcu_hour,
        "compute": vcpus * prices.fargate_vcpu_hour + gigabytes * prices.fargate_gb_hour,
        "logs": 0.0,  # this edge logs failures only
        "network": measured.zones
        * (measured.endpoints * prices.endpoint_hour + prices.public_ipv4_hour),
    }


def _order(inputs: Inputs, rate: float, messages: float) -> float:
    """Return USD per hour; an upper bound, because a batch has up to 10 messages."""
    cpu = rates.function_seconds(inputs, inputs.measured.order_cpu)
    busy = messages * inputs.measured.order_wait + rate * cpu
    return messages * HOUR * inputs.prices.lambda_request + _gb_seconds(inputs, busy)


def _sqs(inputs: Inputs, rate: float, calls: float, messages: float) -> float:
    """Return USD per hour of sends and receives by 64 KB, and one delete for each message."""
    size, chunk = rate * inputs.measured.claim_bytes, inputs.limits.sqs_chunk
    sends = calls * math.ceil(size / calls / chunk)
    receives = messages * math.ceil(size / messages / chunk)
    return (sends + receives + messages) * HOUR * inputs.prices.sqs_request
