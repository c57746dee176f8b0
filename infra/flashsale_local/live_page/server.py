"""Serve the live page until it is interrupted."""

import logging
import socket
import time
from collections.abc import Callable
from pathlib import Path

from nicegui import Client, app, background_tasks, core, ui

from flashsale_local.deployment.target import Target
from flashsale_local.live_page import page
from flashsale_local.live_page.actions import Actions
from flashsale_local.live_page.postgres_switch import PostgresSwitch, read_only_reason
from flashsale_local.live_page.same_origin import SameOriginOnly, own_origins, require_loopback
from flashsale_local.live_page.shop import Shop
from flashsale_local.live_page.watch import Watch
from flashsale_local.problems import Problem

# Seconds for which readings go on after the last browser has left.
GRACE = 10.0


def serve(
    directory: Path, host: str, port: int, *, show: bool, report: Callable[[str], None]
) -> None:
    """Serve the page of the stack in `directory`. `show` opens a browser.

    Args:
        report: gets the address, and at the end whether PostgreSQL was started again.

    Raises:
        Problem: the address is not loopback or not free, or no stack is running.

    """
    require_loopback(host)
    _require_free(host, port)
    target = Target.load(directory)
    reason = read_only_reason(directory, target)
    switch = None if reason else PostgresSwitch(directory, target)
    watch = Watch(target, switch)
    actions = Actions(watch, Shop(target), switch) if switch else None
    ui.page("/", title="flashsale", dark=None)(lambda: page.build(watch, actions, reason))
    # NiceGUI accepts websockets from any site's page. The middleware and engine.io reject them.
    origins = own_origins(host, port)
    core.sio.eio.cors_allowed_origins = origins
    app.add_middleware(SameOriginOnly, origins=origins)
    app.on_startup(lambda: background_tasks.create(watch.run(_Viewers())))
    if switch:
        app.on_shutdown(lambda: _restore(switch, report))
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
        # A browser on a busy machine may be late. A page that is loaded again loses a click.
        reconnect_timeout=30,
        uvicorn_logging_level="warning",
    )


class _Viewers:
    """Tells whether a browser shows the page. One that was there just now may only be late."""

    def __init__(self) -> None:
        self._seen = float("-inf")

    def __call__(self) -> bool:
        if any(client.has_socket_connection for client in Client.instances.values()):
            self._seen = time.monotonic()
        return time.monotonic() - self._seen < GRACE


def _restore(switch: PostgresSwitch, report: Callable[[str], None]) -> None:
    if switch.restore():
        report("PostgreSQL was stopped from the page. It is running again.")


def _require_free(host: str, port: int) -> None:
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
