"""Serve the fake provider on loopback: `python -m flashsale_local.fake_provider`.

Variables: FLASHSALE_PROVIDER_PORT, PROVIDER_KEY, and for the webhooks WEBHOOK_URL, WEBHOOK_HEADERS
(name:value, separated by blanks) and WEBHOOK_SECRET.
"""

import os

import uvicorn

from flashsale_local.fake_provider.app import create_app
from flashsale_local.fake_provider.webhooks import Receiver

if __name__ == "__main__":
    receiver = Receiver(
        os.environ.get("WEBHOOK_URL", ""),
        dict(pair.split(":", 1) for pair in os.environ.get("WEBHOOK_HEADERS", "").split()),
        os.environ.get("WEBHOOK_SECRET", ""),
    )
    uvicorn.run(
        create_app(os.environ["PROVIDER_KEY"], receiver),
        host="127.0.0.1",
        port=int(os.environ["FLASHSALE_PROVIDER_PORT"]),
        log_level="warning",
    )
