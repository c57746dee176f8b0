"""The relay process: `python -m infra.edge.relay` carries what the web workers claim to SQS.

One is enough; a second one is a spare. Without any, the web workers relay by themselves.
"""

import asyncio
import logging
import signal

import uvloop

from flashsale import process
from infra.edge.standing import end, relay_for_all


async def main() -> None:
    """Relay until SIGTERM or SIGINT."""
    services = process.services()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    relaying = asyncio.create_task(relay_for_all(services))
    await stop.wait()
    await end(relaying)
    await services.close()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    uvloop.run(main())
