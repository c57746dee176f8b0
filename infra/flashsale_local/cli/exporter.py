"""The command `flashsale exporter`."""

import asyncio

from flashsale_local.console import console
from flashsale_local.deployment.target import Target
from flashsale_local.paths import LOCAL
from flashsale_server.exporter.__main__ import serve


def exporter() -> None:
    """Serve the figures of the sale to Prometheus until Ctrl+C.

    The port is 9464; FLASHSALE_EXPORTER_PORT changes it. `flashsale up` starts an exporter in the
    background.

    Example: [bold]flashsale exporter[/]
    """
    target = Target.load(LOCAL)
    console.print("Serving /metrics. Ctrl+C ends it.")
    asyncio.run(serve(target))
