"""`python -m flashsale_server.exporter` serves /metrics until SIGTERM or SIGINT.

See `ExporterSettings` for the environment variables.
"""

import asyncio
import logging
import os
import signal

from prometheus_client import (
    CollectorRegistry,
    ProcessCollector,
    disable_created_metrics,
    start_http_server,
)

from flashsale.errors import ConfigError
from flashsale.services import Services
from flashsale_server.exporter.exporter import Exporter, sources_of
from flashsale_server.exporter.settings import ExporterSettings
from flashsale_server.start import check_aws, or_say_why


async def serve(settings: ExporterSettings) -> None:
    """Serve until a signal arrives; a store that is down is a metric and no reason to stop.

    Raises:
        ConfigError: another process has the port.

    """
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    services = Services(settings.application)
    try:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        registry = CollectorRegistry()
        sources = sources_of(settings, services)
        registry.register(Exporter(sources, asyncio.get_running_loop(), services))
        ProcessCollector(registry=registry)  # what watching itself costs
        try:
            server, _ = start_http_server(settings.port, settings.host, registry)
        except OSError as error:
            raise ConfigError(
                f"the exporter cannot use port {settings.port} of {settings.host}: "
                f"{error.strerror}; FLASHSALE_EXPORTER_PORT should be a free port"
            ) from error
        await stop.wait()
        await asyncio.to_thread(server.shutdown)
    finally:
        await services.close()


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)  # its warnings are raised, too
    with or_say_why("exporter"):
        settings = ExporterSettings.from_mapping(os.environ)
        check_aws()
        asyncio.run(serve(settings))
