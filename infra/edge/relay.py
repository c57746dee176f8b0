"""The relay process: `python -m infra.edge.relay` carries what the web workers claim to SQS.

One is enough; a second one is a spare. Without any, the web workers relay by themselves.
"""

import asyncio
import logging
import signal
from contextlib import suppress

import uvloop

from flashsale import process
from infra.edge.standing import relay_for_all


async def main() -> None:
    """Relay until SIGTERM or SIGINT."""
    services = process.services()
    relaying = asyncio.create_task(relay_for_all(services))
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, relaying.cancel)
    with suppress(asyncio.CancelledError):
        await relaying
    await services.close()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    uvloop.run(main())
