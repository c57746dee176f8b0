"""Learns that this process must stop, before its server waits for open connections.

granian runs the end of the lifespan after the last connection has ended. A stream would keep it
until `GRANIAN_WORKERS_KILL_TIMEOUT`, and then nothing would be closed in order.
"""

import asyncio
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any


def on_stop(call: Callable[[], None]) -> Callable[[], None]:
    """Call a function in the event loop when a signal says to stop, beside what the server does.

    Return a function that restores the handlers of before.

    An event loop gets its signals through a file descriptor, whatever handler Python has. So the
    handler here takes nothing from that of granian.
    """
    if threading.current_thread() is not threading.main_thread():
        return lambda: None  # nobody sends signals to an application in a thread
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    for number, handler in before.items():
        signal.signal(number, _handler(loop, call, handler))

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    return restore


def _handler(
    loop: asyncio.AbstractEventLoop, call: Callable[[], None], before: Any
) -> Callable[[int, FrameType | None], None]:
    def handle(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(call)
        if callable(before):
            before(number, frame)

    return handle
