"""Run the relay process, which carries claims to SQS: `python -m flashsale_server.edge.relay`.

One process is enough, and a second one is a spare. Without one, the web workers relay. It serves
its metrics to Prometheus on FLASHSALE_RELAY_PORT, if that is set. It does not use the files of
the web workers: a restart of the edge empties their folder, and another container cannot see it.
"""

import asyncio
import logging
import os
import signal
from collections.abc import Mapping

import uvloop
from prometheus_client import start_http_server

from flashsale.config import Settings
from flashsale.services import Services
from flashsale_server.edge.background import cancel, relay_forever
from flashsale_server.edge.counting_queue import CountingQueue
from flashsale_server.edge.log_format import log_lines
from flashsale_server.start import or_say_why, settings_that_send

logger = logging.getLogger(__name__)


async def main(settings: Settings) -> None:
    """Relay until SIGTERM or SIGINT."""
    services = Services(settings)
    services.order_queue = CountingQueue(services.order_queue)
    serve_metrics(os.environ)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    relaying = asyncio.create_task(relay_forever(services))
    await stop.wait()
    await cancel(relaying)
    await services.close()


def serve_metrics(environment: Mapping[str, str]) -> None:
    """Serve the metrics of this process, if a port is set and free."""
    if not (port := environment.get("FLASHSALE_RELAY_PORT")):
        return
    try:
        start_http_server(int(port), environment.get("FLASHSALE_METRICS_HOST", "127.0.0.1"))
    except (OSError, ValueError, OverflowError) as error:  # orders matter more than metrics
        logger.warning("no metrics on port %s: %s; set FLASHSALE_RELAY_PORT", port, error)


if __name__ == "__main__":
    with or_say_why("relay"):
        settings = settings_that_send(os.environ)
    log_lines(logging.getLogger(), logging.INFO)
    uvloop.run(main(settings))
