"""The ASGI edge on this machine: granian with one web worker for each core, and a relay process."""

import os
import sys
from pathlib import Path

from redis import Redis

from flashsale.redis_store.relay_inbox import ALIVE
from flashsale_local.deployment.deploy import hold_grace
from flashsale_local.deployment.sign_in import limits, settings
from flashsale_local.deployment.target import Target
from flashsale_local.paths import SOURCE_ROOTS
from flashsale_local.stack.ports import port_of
from flashsale_local.stack.program import HOST, Program, answers

# Connections of each web worker to PostgreSQL: V1 to V3 hold one while a buyer waits.
POOL_SIZE = 8
# The image runs the same command: see the Dockerfile.
SERVE = ["-m", "flashsale_server.edge"]


def web(
    directory: Path, port: int, target: Target, workers: int | None = None, **more: str
) -> Program:
    """Return the program that serves the HTTP API; `more` are environment variables."""
    url = f"http://{HOST}:{port}"
    count = str(workers or os.cpu_count() or 1)
    environment = {
        **_environment(target),
        "ROOM_SECRET": target.room_secret,
        "TRUSTED_PROXIES": os.environ.get("TRUSTED_PROXIES", ""),
        "LIVE_PAGE_URL": f"http://{HOST}:{port_of(os.environ, 'FLASHSALE_MONITOR_PORT')}",
        # To where the shop's page leads its buyers.
        "SHOP_PAY_URL": f"{target.provider_url}/pay" if target.provider_url else "",
        "SHOP_SIGN_IN_URL": f"{target.sign_in_url}/sign-in" if target.sign_in_url else "",
        "PROMETHEUS_MULTIPROC_DIR": str(directory / "metrics"),
        "GRANIAN_HOST": HOST,
        "GRANIAN_PORT": str(port),
        "GRANIAN_WORKERS": count,
        **more,
    }
    return Program(
        name="edge",
        url=url,
        port=port,
        port_variable="FLASHSALE_EDGE_PORT",
        command=[sys.executable, *SERVE],
        ready=lambda: answers(f"{url}/openapi.json"),
        environment=environment,
    )


def relay(target: Target, port: int | None = None, **more: str) -> Program:
    """Return the process that carries claims to SQS for the web workers.

    Args:
        port: for its metrics. It runs without them if the port is taken: orders matter more.
        more: environment variables.

    """
    redis = Redis.from_url(target.redis_url, socket_timeout=1)
    return Program(
        name="relay",
        command=[sys.executable, "-m", "flashsale_server.edge.relay"],
        ready=lambda: bool(redis.exists(ALIVE)),
        environment={**_environment(target), "FLASHSALE_RELAY_PORT": str(port or ""), **more},
    )


def _environment(target: Target) -> dict[str, str]:
    return {
        "PYTHONPATH": SOURCE_ROOTS,
        "REDIS_URL": target.redis_url,
        "DATABASE_URL": target.database_url,
        "DATABASE_POOL_SIZE": str(POOL_SIZE),
        "ORDERS_QUEUE_URL": target.queues["orders"],
        "DEAD_LETTER_QUEUE_URL": target.queues["dlq"],
        "PARKING_QUEUE_URL": target.queues["parking"],
        "PAYMENTS_QUEUE_URL": target.queues["payments"],
        "PAYMENTS_DEAD_LETTER_QUEUE_URL": target.queues["payments-dlq"],
        "HOLD_GRACE": hold_grace(),
        "PROVIDER_URL": target.provider_url,
        "PROVIDER_KEY": target.provider_key if target.provider_url else "",
        **settings(target.auth, target.token_secret),
        **limits(os.environ),
        "POWERTOOLS_SERVICE_NAME": "flashsale",
        "POWERTOOLS_METRICS_NAMESPACE": "flashsale",
        **target.aws_environment,
    }
