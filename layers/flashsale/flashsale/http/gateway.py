"""An ASGI application as a Lambda function behind an HTTP API or a Function URL."""

import asyncio
from collections.abc import Callable
from typing import Any

from mangum import Mangum
from mangum.types import ASGI

# What the functions answer; of any other type Mangum makes base64.
_TEXT = ["text/", "application/json", "application/problem+json"]


def behind_gateway(app: ASGI) -> Callable[[Any, Any], dict[str, Any]]:
    """The handler of a Lambda function that serves `app`."""
    # Mangum runs on the current event loop, and newer Pythons no longer make one by themselves.
    asyncio.set_event_loop(asyncio.new_event_loop())
    return Mangum(app, lifespan="off", text_mime_types=_TEXT)
