"""`python -m flashsale_server.exporter` serves /metrics until SIGTERM or SIGINT.

FLASHSALE_EXPORTER_PORT (9464) is its port, FLASHSALE_METRICS_HOST (127.0.0.1) its address.
"""

import asyncio
import logging
import os
import signal
from collections.abc import Mapping

from prometheus_client import (
    CollectorRegistry,
    ProcessCollector,
    disable_created_metrics,
    start_http_server,
)

from flashsale_local.deployment.target import Target
from flashsale_local.paths import LOCAL
from flashsale_local.problems import Problem
from flashsale_local.stack.ports import port_of
from flashsale_server.exporter.exporter import Exporter, sources_of


async def serve(target: Target, environment: Mapping[str, str] = os.environ) -> None:
    """Serve until a signal; a store that is down is a figure, and no reason to stop.

    Raises:
        Problem: the port is taken.

    """
    port = port_of(environment, "FLASHSALE_EXPORTER_PORT")
    host = environment.get("FLASHSALE_METRICS_HOST", "127.0.0.1")
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    # One connection for the stores' figures, one for the books, one for the check.
    async with target.services(DATABASE_POOL_SIZE="3") as services:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        registry = CollectorRegistry()
        sources = sources_of(target, services)
        registry.register(Exporter(sources, asyncio.get_running_loop(), services))
        ProcessCollector(registry=registry)  # what watching itself takes
        try:
            server, _ = start_http_server(port, host, registry)
        except OSError as error:
            raise Problem(
                f"The exporter cannot use port {port} of {host}: {error.strerror}.",
                "Stop what uses it, or set FLASHSALE_EXPORTER_PORT to another.",
            ) from error
        await stop.wait()
        await asyncio.to_thread(server.shutdown)


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)  # what it warns of is raised too
    asyncio.run(serve(Target.load(LOCAL)))
