"""Clients of the two edges with one interface: they send bytes and return an answer."""

import asyncio
import base64
import json
from typing import NamedTuple
from urllib.parse import quote, unquote_to_bytes

import urllib3


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)


JSON = {"content-type": "application/json"}


class Asgi:
    """A client of the ASGI edge over a real socket."""

    def __init__(self, url):
        self.url = url
        self.port = int(url.rsplit(":", 1)[1])
        self._pool = urllib3.PoolManager(retries=False, timeout=60)

    @property
    def schemathesis_target(self):
        """Return how schemathesis reaches the edge."""
        return {"base_url": self.url}

    def request(self, method, path, body=b"", headers=None, query=""):
        url = self.url + _quoted(path) + (f"?{query}" if query else "")
        answer = self._pool.request(method, url, body=body or None, headers=headers or JSON)
        return Answer(answer.status, dict(answer.headers), answer.data)


class Lambda:
    """Events of API Gateway's HTTP API (payload format 2.0) for a handler."""

    def __init__(self, handler, thread):
        self._handler = handler
        self._thread = thread
        self.request_id = "JKJaXmPLvHcESHA="
        self.stage = "$default"

    @property
    def schemathesis_target(self):
        """Return the WSGI application that schemathesis calls."""
        return {"base_url": "http://localhost", "app": self}

    def request(self, method, path, body=b"", headers=None, query=""):
        event = event_of(method, path, body, headers or JSON, query)
        event["requestContext"] |= {"requestId": self.request_id, "stage": self.stage}
        answer = self._thread.submit(self._handler, event, None).result()
        text = answer.get("body", "")
        content = base64.b64decode(text) if answer.get("isBase64Encoded") else text.encode()
        return Answer(answer["statusCode"], answer.get("headers") or {}, content)

    @staticmethod
    def run(coroutine_function):
        """Run it on the event loop of the calling thread, which is the handler's."""
        return asyncio.get_event_loop().run_until_complete(coroutine_function())

    def __call__(self, environ, start_response):
        """Answer as a WSGI application, because schemathesis cannot send Lambda events."""
        headers = {
            name[5:].replace("_", "-").lower(): value
            for name, value in environ.items()
            if name.startswith("HTTP_")
        }
        if environ.get("CONTENT_TYPE"):
            headers["content-type"] = environ["CONTENT_TYPE"]
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        path = environ["PATH_INFO"].encode("latin-1")
        query = environ.get("QUERY_STRING", "")
        answer = self.request(environ["REQUEST_METHOD"], path, body, headers, query)
        start_response(f"{answer.status} answered", list(answer.headers.items()))
        return [answer.body]


def event_of(method, path, body, headers, query=""):
    """Return API Gateway's event for a request. `path` is bytes, or percent-encoded text."""
    raw = path if isinstance(path, bytes) else unquote_to_bytes(path)
    shown = raw.decode("utf-8", "replace")
    try:
        text, encoded = body.decode(), False
    except UnicodeDecodeError:
        text, encoded = base64.b64encode(body).decode(), True
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": shown,
        "rawQueryString": query,
        "headers": {name.lower(): value for name, value in headers.items()},
        "requestContext": {
            "apiId": "hostile",
            "domainName": "hostile.execute-api.us-east-1.amazonaws.com",
            "http": {
                "method": method,
                "path": shown,
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": "hostile",
            },
            "routeKey": "$default",
            "stage": "$default",
        },
        **({"body": text} if body else {}),
        "isBase64Encoded": encoded,
    }


def _quoted(path):
    return quote(path) if isinstance(path, bytes) else path
