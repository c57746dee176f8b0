"""Run the relay process, which carries claims to SQS: `python -m flashsale_server.edge.relay`.

One is enough; a second one is a spare. Without any, the web workers relay by themselves.
FLASHSALE_RELAY_PORT is where it shows its figures to Prometheus; without one it shows none.
"""

import asyncio
import logging
import os
import signal
from collections.abc import Mapping

import uvloop
from prometheus_client import start_http_server

from flashsale.runtime import process
from flashsale_server.edge import LOG_FORMAT
from flashsale_server.edge.background import end, relay_for_all
from flashsale_server.edge.counting import CountingQueue

logger = logging.getLogger(__name__)


async def main() -> None:
    """Relay until SIGTERM or SIGINT."""
    services = process.services()
    services.order_queue = CountingQueue(services.order_queue)
    serve_metrics(os.environ)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    relaying = asyncio.create_task(relay_for_all(services))
    await stop.wait()
    await end(relaying)
    await services.close()


def serve_metrics(environment: Mapping[str, str]) -> None:
    """Show this process's figures, if a port is given and free."""
    if not (port := environment.get("FLASHSALE_RELAY_PORT")):
        return
    try:
        start_http_server(int(port), environment.get("FLASHSALE_METRICS_HOST", "127.0.0.1"))
    except (OSError, ValueError, OverflowError) as error:  # orders matter more than figures
        logger.warning("no metrics on port %s: %s; set FLASHSALE_RELAY_PORT", port, error)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format=LOG_FORMAT)
    uvloop.run(main())
