"""The exporter on this machine: the metrics of the sale, for Prometheus and for curl."""

import sys

from flashsale_local.deployment.deploy import hold_grace
from flashsale_local.deployment.target import Target
from flashsale_local.paths import SOURCE_ROOTS
from flashsale_local.stack.program import HOST, Program, answers

# Tells whether it runs. Only metric families that are named are read, and no family has this name.
# So it is no scrape, which takes seconds while a store is down.
ALIVE = "/metrics?name[]=alive"


def exporter(port: int, target: Target) -> Program:
    """Return the program that serves /metrics about a deployment."""
    url = f"http://{HOST}:{port}"
    return Program(
        name="exporter",
        url=url,
        port=port,
        port_variable="FLASHSALE_EXPORTER_PORT",
        command=[sys.executable, "-m", "flashsale_server.exporter"],
        ready=lambda: answers(f"{url}{ALIVE}"),
        environment={
            "PYTHONPATH": SOURCE_ROOTS,
            **variables(target),
            "FLASHSALE_EXPORTER_PORT": str(port),
        },
    )


def variables(target: Target) -> dict[str, str]:
    """Return the environment variables that tell an exporter which deployment it watches.

    Raises:
        Problem: the application is not deployed.

    """
    return {
        "REDIS_URL": target.redis_url,
        "DATABASE_URL": target.database_url,
        "ORDERS_QUEUE_URL": target.queues["orders"],
        "DEAD_LETTER_QUEUE_URL": target.queues["dlq"],
        "PARKING_QUEUE_URL": target.queues["parking"],
        "PAYMENTS_QUEUE_URL": target.queues.get("payments", ""),
        "PAYMENTS_DEAD_LETTER_QUEUE_URL": target.queues.get("payments-dlq", ""),
        "HOLD_GRACE": hold_grace(),
        "FLASHSALE_STACK": target.stack_name,
        "EMULATOR": target.emulator,
        **target.aws_environment,
    }
