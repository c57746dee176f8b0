"""An ASGI application as a Lambda function behind an HTTP API or a Function URL."""

import asyncio
import os
from collections.abc import Callable
from typing import Any

from mangum import Mangum
from mangum.types import ASGI

from flashsale.http.emf import emit
from flashsale.http.observe import Observe
from flashsale.runtime.tracing import traced

# The types that functions answer as text. Mangum encodes all others in base64.
_TEXT = ["text/", "application/json", "application/problem+json"]

Handler = Callable[[Any, Any], dict[str, Any]]


def lambda_handler(app: ASGI) -> Handler:
    """Return the handler of a Lambda function that serves `app`, with its log lines and metrics."""
    return traced(os.environ)(behind_gateway(Observe(app, emit)))


def behind_gateway(app: ASGI) -> Handler:
    """Return the handler of a Lambda function that serves `app`."""
    # Mangum runs on the current event loop, and newer Pythons no longer make one by themselves.
    asyncio.set_event_loop(asyncio.new_event_loop())
    return Mangum(app, lifespan="off", text_mime_types=_TEXT)
