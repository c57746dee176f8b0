"""The parameters of the model."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Prices:
    """Prices in USD, each for one unit of what its name says."""

    lambda_request: float
    lambda_gb_second: float
    http_api_request: float
    function_url_request: float
    sqs_request: float
    fargate_vcpu_hour: float
    fargate_gb_hour: float
    alb_hour: float
    alb_lcu_hour: float
    endpoint_hour: float
    public_ipv4_hour: float
    logs_gb: float
    cloudfront_request: float
    cloudfront_gb: float
    waf_request: float
    valkey_node_hour: float
    postgres_instance_hour: float


@dataclass(frozen=True, slots=True)
class Limits:
    """Quotas and units of billing of AWS; rates per second, sizes in bytes or MB, times in s."""

    account_concurrency: float
    environment_rps: float
    scaling_burst: float
    scaling_rate: float
    mb_per_vcpu: float
    billing_step: float
    http_api_rps: float
    sqs_chunk: float
    lcu_connections: float
    lcu_bytes: float


@dataclass(frozen=True, slots=True)
class Measured:
    """Measured costs of this repository, and its settings. Seconds, bytes, rates per second."""

    claim_cpu: float
    send_message_cpu: float
    v5_cpu: float
    asgi_cpu: float
    order_cpu: float
    shard_claims: float
    orders_persisted: float
    relay_calls_asgi: float
    claim_bytes: float
    log_bytes: float
    begin_cpu: float
    webhook_cpu: float
    payment_cpu: float
    begin_log_bytes: float
    payment_log_bytes: float
    place_bytes: float
    function_mb: float
    order_concurrency: float
    rollback_concurrency: float
    payment_concurrency: float
    claims_per_envelope: float
    envelopes_per_call: float
    relay_linger_lambda: float
    poll_people: float
    poll_least: float
    poll_most: float
    room_looks: float
    vcpu_speed: float
    valkey_wait: float
    sqs_wait: float
    order_wait: float
    provider_wait: float
    shard_share: float
    products: float
    task_vcpus: float
    task_gb: float
    tasks_at_least: float
    task_utilisation: float
    relay_vcpus: float
    relay_gb: float
    zones: float
    endpoints: float
    connections_per_purchase: float
    purchase_bytes: float
    room_bytes: float
    room_minutes: float
    edge_caches: float
