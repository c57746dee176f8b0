"""Inputs of the tests of `flashsale model`."""

MANY_RATES = [10 ** (step / 10) for step in range(60)]

# Round numbers, so that the examples can be checked by hand.
ROUND = {
    # a function has half a vCPU: 3 ms of CPU take 6 ms
    "function_mb": 1024, "mb_per_vcpu": 2048, "vcpu_speed": 1, "billing_step": 0,
    "v5_cpu": 3, "valkey_wait": 4,  # 6 + 4 = 10 ms
    "claim_cpu": 1, "send_message_cpu": 4, "sqs_wait": 6,  # (1 + 4) / 0.5 + 4 + 6 = 20 ms
    "begin_cpu": 2, "provider_wait": 196,  # 4 + 196 = 200 ms
    "webhook_cpu": 2, "payment_cpu": 1, "begin_log_bytes": 1000, "payment_log_bytes": 2000,
    "order_cpu": 1, "order_wait": 100,  # 2 ms an order, 100 ms an invocation
    "relay_linger_lambda": 100, "relay_calls_asgi": 5, "claim_bytes": 1000,
    "asgi_cpu": 1, "task_utilisation": 0.5, "task_vcpus": 2, "task_gb": 4, "tasks_at_least": 1,
    "relay_vcpus": 1, "relay_gb": 2, "zones": 2, "endpoints": 3,
    "shard_claims": 2000, "shard_share": 0.5, "orders_persisted": 1000, "log_bytes": 1000,
    "lambda_request": 1, "lambda_gb_second": 0.00001, "http_api_request": 2, "sqs_request": 1,
    "fargate_vcpu_hour": 0.1, "fargate_gb_hour": 0.01, "alb_hour": 0.05, "alb_lcu_hour": 0.01,
    "endpoint_hour": 0.02, "public_ipv4_hour": 0.01,
    "cloudfront_request": 10, "cloudfront_gb": 1, "waf_request": 1,
    "place_bytes": 100, "room_bytes": 1000, "room_minutes": 10, "edge_caches": 5,
    "poll_people": 2000, "poll_least": 2, "poll_most": 30, "room_looks": 2,
    "logs_gb": 1, "valkey_node_hour": 0.2, "postgres_instance_hour": 0.3,
}  # fmt: skip
