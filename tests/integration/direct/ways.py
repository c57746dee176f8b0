"""The two ways of a request through a route: its own, and FastAPI's."""

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict

import pytest
from mangum import Mangum

from flashsale.http.application import create_app
from flashsale.http.direct import DirectRoute
from flashsale.http.observe import Observe
from flashsale.services import Services
from tests.helpers.edges import event_of

# Of two like purchases, what differs by chance.
CHANCE = [
    (rb"PRODUCT:\d+-\d+", b"ORDER"),
    (rb"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", b"ORDER"),
    (rb"\d{4}-\d\d-\d\dT[\d:.]+Z", b"TIME"),
    (rb"\b(863\d\d|86400)\b", b"DAY"),  # what is left of the time of a rate limit
]


@contextmanager
def plainly():
    """Let FastAPI alone serve all routes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delattr(DirectRoute, "handle")
        yield


class Queue:
    """A queue that only remembers which orders V4 pushed."""

    def __init__(self):
        self.pushed = []

    async def push(self, order):
        self.pushed.append((order.product_id, order.user_id, order.quantity, order.generation))


class Edge:
    """One application, which gets its services from the current request."""

    def __init__(self, origins):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("CORS_ORIGINS", origins)
            self._app = Observe(create_app(lambda: self.services), self._see)
        self.services = None
        self._seen = []

    def _see(self, seen):
        self._seen.append({**asdict(seen), "seconds": 0, "began": 0, "correlation_id": ""})

    async def send(self, services, request, headers, messages):
        """Send one request; return its answer, its observation, and what V4 pushed."""
        self.services, self._seen = services, []
        services.order_queue = Queue()
        try:
            answer = await self._answer(request, headers, messages)
        except Exception as error:  # noqa: BLE001 - servers log it
            answer = repr(error)
        return [answer, self._seen, services.order_queue.pushed]


class Asgi(Edge):
    """The application as an ASGI server calls it."""

    async def _answer(self, request, headers, messages):
        sent = []
        scope = {
            "type": "http",
            "method": request.method,
            "path": request.path,
            "query_string": request.query,
            "root_path": "",
            "headers": headers,
            "client": ("192.0.2.7", 1),
        }

        async def receive():
            return messages.pop(0)  # IndexError: the body was read to its end before

        async def send(message):
            sent.append(message)

        try:
            await self._app(scope, receive, send)
        except Exception as error:  # noqa: BLE001 - it comes after an answer
            sent.append(repr(error))
        return sent


class Lambda(Edge):
    """The application behind Mangum, with a loop, and connections, of its own."""

    async def _answer(self, request, headers, messages):
        body = b"".join(message["body"] for message in messages)
        fields = {name.decode(): value.decode("latin-1") for name, value in headers}
        event = event_of(request.method, request.path, body, fields, request.query.decode())
        with ThreadPoolExecutor(1) as thread:
            return await asyncio.wrap_future(thread.submit(self._invoke, event))

    def _invoke(self, event):
        queue = self.services.order_queue
        self.services = Services(self.services.settings)
        self.services.order_queue = queue
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        try:
            return Mangum(self._app, lifespan="off")(event, None)
        finally:
            loop.run_until_complete(self.services.close())
            loop.close()


def without_chance(found, product_id):
    """Return what was found as text, without ids and times."""
    text = repr(found).encode().replace(product_id.encode(), b"PRODUCT")
    for pattern, name in CHANCE:
        text = re.sub(pattern, name, text)
    return text.decode()
