"""The command `flashsale exporter`."""

import asyncio
import os

from flashsale.errors import ConfigError
from flashsale_local.console import console
from flashsale_local.deployment.target import Target
from flashsale_local.paths import LOCAL
from flashsale_local.problems import Problem
from flashsale_local.stack.exporter import variables
from flashsale_server.exporter.__main__ import serve
from flashsale_server.exporter.settings import ExporterSettings


def exporter() -> None:
    """Serve the metrics of the sale to Prometheus until Ctrl+C.

    The port is 9464; FLASHSALE_EXPORTER_PORT changes it. `flashsale up` starts an exporter in the
    background.

    Example: [bold]flashsale exporter[/]
    """
    target = Target.load(LOCAL)
    try:
        settings = ExporterSettings.from_mapping({**os.environ, **variables(target)})
        console.print("Serving /metrics. Ctrl+C ends it.")
        asyncio.run(serve(settings))
    except ConfigError as error:
        raise Problem(f"The exporter does not start: {error}.", "Set the variable.") from error
