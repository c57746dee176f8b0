"""The fake provider's HTTP API: Stripe's for the application, and /fake/… for who pays."""

import hmac
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from flashsale_local.fake_provider.intents import Intents, Refused
from flashsale_local.fake_provider.page import page
from flashsale_local.fake_provider.webhooks import PAUSE, Receiver, Webhooks, Wish

Fields = Mapping[str, str]


def create_app(key: str, receiver: Receiver, pause: float = PAUSE) -> Starlette:
    """Build a provider without any payment.

    Args:
        key: the secret key that calls of its API need.
        receiver: where webhooks go.
        pause: seconds between two tries of a webhook.

    """
    provider = _Provider(key, Webhooks(receiver, pause))

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await provider.webhooks.close()

    return Starlette(
        routes=[
            Route("/", provider.show),
            Route("/v1/payment_intents", provider.create, methods=["POST"]),
            Route("/v1/payment_intents/{id}/cancel", provider.cancel, methods=["POST"]),
            Route("/v1/refunds", provider.refund, methods=["POST"]),
            Route("/fake/payment_intents", provider.list_all),
            Route("/fake/payment_intents/{id}/pay", provider.pay, methods=["POST"]),
        ],
        # Otherwise a page of another site could reach it by a host name of its own.
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])],
        exception_handlers={Refused: _refused},
        lifespan=lifespan,
    )


class _Provider:
    def __init__(self, key: str, webhooks: Webhooks) -> None:
        self._key, self.webhooks, self._intents = key, webhooks, Intents()
        # By Idempotency-Key: the request, and the answer to it.
        self._answers: dict[str, tuple[object, int, dict[str, Any]]] = {}

    async def create(self, request: Request) -> Response:
        fields = await self._fields(request)
        return self._once(request, fields, lambda: self._intents.create(fields).body())

    async def cancel(self, request: Request) -> Response:
        fields, intent_id = await self._fields(request), request.path_params["id"]
        return self._once(request, fields, lambda: self._intents.cancel(intent_id).body())

    async def refund(self, request: Request) -> Response:
        fields = await self._fields(request)
        intent_id = fields.get("payment_intent", "")
        return self._once(request, fields, lambda: self._intents.refund(intent_id))

    async def _fields(self, request: Request) -> Fields:
        given = request.headers.get("authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {self._key}".encode()):
            raise Refused(401, "invalid_api_key", "Invalid API Key provided")
        return dict(parse_qsl((await request.body()).decode()))

    def _once(
        self, request: Request, fields: Fields, act: Callable[[], dict[str, Any]]
    ) -> Response:
        """Act, or repeat the answer to the request that had the same Idempotency-Key."""
        key, asked = request.headers.get("idempotency-key"), (request.url.path, dict(fields))
        if key and key in self._answers:
            before, status, body = self._answers[key]
            if before != asked:
                text = "Keys for idempotent requests can only be used with the same parameters."
                raise Refused(400, "idempotency_key_in_use", text)
            return JSONResponse(body, status, {"Idempotent-Replayed": "true"})
        try:
            status, body = 200, act()
        except Refused as refused:
            status, body = refused.status, {"error": refused.error}
        if key:
            self._answers[key] = asked, status, body
        return JSONResponse(body, status)

    async def list_all(self, _: Request) -> Response:
        return JSONResponse({"data": [asdict(intent) for intent in self._intents.all.values()]})

    async def pay(self, request: Request) -> Response:
        """Pay, with the fields of `Wish` as JSON, if any. A browser is led back to the page."""
        wish = _wish(await request.body())
        intent = self._intents.pay(request.path_params["id"], wish.amount)
        self.webhooks.send(intent, wish)
        browser = "text/html" in request.headers.get("accept", "")
        return RedirectResponse("/", 303) if browser else JSONResponse(intent.body())

    async def show(self, _: Request) -> Response:
        return HTMLResponse(page(self._intents.all.values()))


def _wish(body: bytes) -> Wish:
    try:
        return Wish(**json.loads(body or b"{}"))
    except (TypeError, ValueError) as error:
        raise Refused(400, "parameter_unknown", str(error)) from error


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return JSONResponse({"error": error.error}, error.status)
