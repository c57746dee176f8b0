"""Costs of the payments of held orders, which come on top of those of their purchases.

A payment is a call of buy that begins it, a webhook, a message, and a part of a batch. The webhook
is a Lambda function behind the HTTP API on both edges. The hours of Valkey, PostgreSQL and the load
balancer are in the costs of purchases.
"""

from flashsale_desk.scaling.costs import HOUR, MILLION, Edge, invocation
from flashsale_desk.scaling.inputs import Inputs

# Requests of SQS for one message: send, receive, delete.
SQS_REQUESTS = 3


def per_million_payments(inputs: Inputs, edge: Edge) -> dict[str, float]:
    """Return USD per million payments by purpose; each counts as if its message came alone."""
    prices, measured = inputs.prices, inputs.measured
    door = prices.function_url_request if edge is Edge.FUNCTION_URL else prices.http_api_request
    webhook = invocation(inputs, measured.webhook_cpu, measured.sqs_wait)
    payment = invocation(inputs, measured.payment_cpu, measured.order_wait)
    if edge is Edge.ASGI:
        begin_door, begin, begin_log = _balancer(inputs), _container(inputs), 0.0
    else:
        begin_door, begin_log = door, measured.begin_log_bytes
        begin = invocation(inputs, measured.begin_cpu, measured.provider_wait)
    costs = {
        "front door": begin_door + door,
        "compute": begin + webhook + payment,
        "logs": (begin_log + measured.payment_log_bytes) / 1e9 * prices.logs_gb,
        "SQS": SQS_REQUESTS * prices.sqs_request,
    }
    return {name: usd * MILLION for name, usd in costs.items()}


def _balancer(inputs: Inputs) -> float:
    """Return USD of what the load balancer counts for one request."""
    limits, measured = inputs.limits, inputs.measured
    lcu_hours = max(
        measured.connections_per_purchase / limits.lcu_connections / HOUR,
        measured.purchase_bytes / limits.lcu_bytes,
    )
    return lcu_hours * inputs.prices.alb_lcu_hour


def _container(inputs: Inputs) -> float:
    """Return USD of the part of a web task that one begun payment takes. It waits for free."""
    prices, measured = inputs.prices, inputs.measured
    hours = measured.begin_cpu / measured.vcpu_speed / measured.task_utilisation / HOUR
    gigabytes = measured.task_gb / measured.task_vcpus
    return hours * (prices.fargate_vcpu_hour + gigabytes * prices.fargate_gb_hour)
