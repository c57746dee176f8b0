"""Serves the live page until it is interrupted."""

import logging
import socket
from collections.abc import Callable
from pathlib import Path

from nicegui import Client, app, background_tasks, core, ui

from flashsale_local.deployment.target import Target
from flashsale_local.live_page import page
from flashsale_local.live_page.guard import OwnPageOnly, own_origins, refuse_public
from flashsale_local.live_page.outage import Outage, why_only_watching
from flashsale_local.live_page.session import Visit
from flashsale_local.live_page.shop import Shop
from flashsale_local.live_page.watch import Watch
from flashsale_local.problems import Problem


def serve(
    directory: Path, host: str, port: int, *, show: bool, report: Callable[[str], None]
) -> None:
    """Serve the page of the stack in `directory`; `show` opens a browser.

    Args:
        report: hears the address, and in the end whether PostgreSQL was started again.

    Raises:
        Problem: the address is not loopback or not free, or there is no running stack.

    """
    refuse_public(host)
    _refuse_taken(host, port)
    target = Target.load(directory)
    only_watches = why_only_watching(directory, target)
    outage = None if only_watches else Outage(directory, target)
    watch = Watch(target, outage)
    visit = Visit(watch, Shop(target), outage) if outage else None
    ui.page("/", title="flashsale", dark=None)(lambda: page.build(watch, visit, only_watches))
    # NiceGUI lets any site's page connect; the middleware does not, and neither does engine.io.
    origins = own_origins(host, port)
    core.sio.eio.cors_allowed_origins = origins
    app.add_middleware(OwnPageOnly, origins=origins)
    app.on_startup(lambda: background_tasks.create(watch.run(_somebody_looks)))
    if outage:
        app.on_shutdown(lambda: _end(outage, report))
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)
    report(f"Live page: {origins[0]} (Ctrl-C ends it)")
    ui.run(
        host=host,
        port=port,
        show=show,
        reload=False,
        tailwind=False,
        language="en-US",
        favicon="🏷",
        show_welcome_message=False,
        uvicorn_logging_level="warning",
    )


def _somebody_looks() -> bool:
    return any(client.has_socket_connection for client in Client.instances.values())


def _end(outage: Outage, report: Callable[[str], None]) -> None:
    if outage.end():
        report("PostgreSQL, which was stopped from the page, is started again.")


def _refuse_taken(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise Problem(
                f"The page cannot use port {port} of {host}: {error.strerror}.",
                "Stop what uses it, or choose another: FLASHSALE_MONITOR_PORT=… flashsale monitor",
            ) from error
