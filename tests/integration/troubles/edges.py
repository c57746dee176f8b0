"""The two edges in process: the routes as an ASGI application and as Lambda functions."""

import asyncio
import base64
import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from flashsale.http import admin
from flashsale.http.application import create_admin_app, create_app
from flashsale.http.gateway import lambda_handler
from flashsale.services import Services
from tests.helpers.admin_desk import TRUST, token


@dataclass
class Answer:
    """An answer, and the seconds until its start. On Lambda it is the seconds until its end."""

    status: int
    headers: dict[str, str]
    text: str
    seconds: float

    @property
    def json(self) -> Any:
        return json.loads(self.text)


def _headers(path, more):
    bearer = {"authorization": f"Bearer {token()}"} if path.startswith("/api/admin") else {}
    return {"content-type": "application/json", **bearer, **more}


class AsgiEdge:
    """Sends concurrent requests on the event loop of the test."""

    def __init__(self, settings):
        self.services = Services(replace(settings, trusted_issuer=TRUST))
        self._api = create_app(lambda: self.services, more=[admin.router])

    async def ask(self, method, path, body=None, **headers):
        content = b"" if body is None else json.dumps(body).encode()
        pairs = _headers(path, headers).items()
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method,
            "headers": [(name.encode(), value.encode()) for name, value in pairs],
            "scheme": "http", "path": path, "raw_path": path.encode(), "query_string": b"",
            "server": ("test", 80), "client": ("127.0.0.1", 1), "root_path": "", "state": {},
        }  # fmt: skip
        messages = [{"type": "http.request", "body": content, "more_body": False}]
        sent, first = [], []
        whole = asyncio.Event()

        async def receive():
            return messages.pop() if messages else await asyncio.Event().wait()

        async def send(message):
            first.append(time.monotonic())
            sent.append(message)
            if message["type"] == "http.response.body" and not message.get("more_body"):
                whole.set()

        started = time.monotonic()
        # The relay runs after the answer, and neither a buyer nor this client waits for it.
        serving = asyncio.create_task(self._api(scope, receive, send))
        waiting = asyncio.create_task(whole.wait())
        await asyncio.wait([serving, waiting], return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        assert sent, serving.exception()
        names = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        text = b"".join(message["body"] for message in sent[1:]).decode()
        return Answer(sent[0]["status"], names, text, first[0] - started)

    async def run(self, use_case):
        return await use_case(self.services)

    async def close(self):
        await self.services.close()


class LambdaEdge:
    """Sends one request at a time. The event loop runs only during a request."""

    def __init__(self, settings):
        lonely = replace(settings, trusted_issuer=TRUST, one_at_a_time=True, database_pool_size=1)
        self.services = Services(lonely)
        self._thread = ThreadPoolExecutor(1, initializer=self._start)

    def _start(self):
        self._buy = lambda_handler(create_app(lambda: self.services))
        self._admin = lambda_handler(create_admin_app(lambda: self.services))
        self._loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self._loop)

    async def ask(self, method, path, body=None, **headers):
        event = {
            "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": "",
            "headers": _headers(path, headers), "body": None if body is None else json.dumps(body),
            "isBase64Encoded": False,
            "requestContext": {
                "http": {"method": method, "path": path, "sourceIp": "127.0.0.1"},
                "requestId": "r-1", "stage": "$default",
            },
        }  # fmt: skip

        def call():
            handler = self._admin if path.startswith("/api/admin") else self._buy
            started = time.monotonic()
            answer = handler(event, None)
            return answer, time.monotonic() - started

        answer, seconds = await asyncio.get_running_loop().run_in_executor(self._thread, call)
        text = answer.get("body") or ""
        if answer.get("isBase64Encoded"):
            text = base64.b64decode(text).decode()
        return Answer(answer["statusCode"], answer["headers"], text, seconds)

    async def run(self, use_case):
        def call():
            return self._loop.run_until_complete(use_case(self.services))

        return await asyncio.get_running_loop().run_in_executor(self._thread, call)

    async def close(self):
        await self.run(lambda services: services.close())
        self._thread.shutdown()
