"""The exporter on this machine: the sale as Prometheus sees it, and a person by curl."""

import os
import sys

from flashsale_local.deployment.target import Target
from flashsale_local.paths import ROOT
from flashsale_local.stack.program import HOST, Program, answers

# Whether it runs. Only families that are named are read, and this is none: it is no scrape, which
# takes seconds while a store is down.
ALIVE = "/metrics?name[]=alive"


def exporter(port: int, target: Target) -> Program:
    """Serves /metrics about a deployment."""
    url = f"http://{HOST}:{port}"
    return Program(
        name="exporter",
        url=url,
        port=port,
        port_variable="FLASHSALE_EXPORTER_PORT",
        command=[sys.executable, "-m", "flashsale_server.exporter"],
        ready=lambda: answers(f"{url}{ALIVE}"),
        environment={
            "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'layers' / 'flashsale'}",
            "REDIS_URL": target.redis_url,
            "DATABASE_URL": target.database_url,
            "FLASHSALE_STACK": target.stack_name,
            "EMULATOR": target.emulator,
            "FLASHSALE_EXPORTER_PORT": str(port),
            **target.aws_environment,
        },
    )
