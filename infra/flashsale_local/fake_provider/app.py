"""The fake provider's HTTP API: Stripe's for the application, and /fake/… for who pays."""

import hmac
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from flashsale_local.fake_provider.actions import SECONDS, Action, Actions
from flashsale_local.fake_provider.intents import Intents, Refused
from flashsale_local.fake_provider.page import page
from flashsale_local.fake_provider.payment_page import payment_page, unknown_payment
from flashsale_local.fake_provider.webhooks import PAUSE, Receiver, Webhooks, Wish
from flashsale_local.plain_page import is_of_another_site, is_on_this_machine

Fields = Mapping[str, str]


def create_app(
    key: str, receiver: Receiver, pause: float = PAUSE, seconds: float = SECONDS
) -> Starlette:
    """Build a provider without any payment.

    Args:
        key: the secret key that calls of its API need.
        receiver: where webhooks go.
        pause: seconds between two tries of a webhook.
        seconds: that a late payment and a slow webhook take.

    """
    provider = _Provider(key, Webhooks(receiver, pause), seconds)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await provider.webhooks.close()

    return Starlette(
        routes=[
            Route("/", provider.show),
            Route("/pay", provider.show_payment),
            Route("/pay", provider.act, methods=["POST"]),
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
    def __init__(self, key: str, webhooks: Webhooks, seconds: float) -> None:
        self._key, self.webhooks, self._intents = key, webhooks, Intents()
        self._actions = Actions(self._intents, webhooks, seconds)
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
        _refuse_other_sites(request)
        wish = _wish(await request.body())
        intent = self._actions.pay(request.path_params["id"], wish)
        browser = "text/html" in request.headers.get("accept", "")
        return RedirectResponse("/", 303) if browser else JSONResponse(intent.body())

    async def act(self, request: Request) -> Response:
        """Do what a button of the payment's page says, and show the page again."""
        _refuse_other_sites(request)
        fields = dict(parse_qsl((await request.body()).decode()))
        payment_id, back = fields.get("payment", ""), _back(fields)
        try:
            action = Action(fields.get("action", ""))
        except ValueError as error:
            raise Refused(400, "parameter_unknown", str(error)) from error
        try:
            self._actions.act(payment_id, action)
        except Refused as refused:
            # The payment has changed since the page was shown. The page says how.
            if refused.status != 400:
                raise
        shown = {"payment": payment_id, **({"return": back} if back else {})}
        return RedirectResponse(f"/pay?{urlencode(shown)}", 303)

    async def show_payment(self, request: Request) -> Response:
        """Show the page to which a shop leads its buyer."""
        back, id_ = _back(request.query_params), request.query_params.get("payment", "")
        if (intent := self._intents.all.get(id_)) is None:
            return unknown_payment()
        others = [
            one
            for one in self._intents.all.values()
            if one.metadata == intent.metadata and one is not intent
        ]
        return payment_page(intent, others, back)

    async def show(self, _: Request) -> Response:
        return page(self._intents.all.values())


def _back(fields: Fields) -> str:
    """Return where the shop's page is; "" if nothing is said."""
    back = fields.get("return", "")
    if back and not is_on_this_machine(back):
        raise Refused(400, "parameter_invalid", "return must be an address on this machine")
    return back


def _refuse_other_sites(request: Request) -> None:
    if is_of_another_site(request):
        raise Refused(403, "forbidden", "The form of another site")


def _wish(body: bytes) -> Wish:
    try:
        return Wish(**json.loads(body or b"{}"))
    except (TypeError, ValueError) as error:
        raise Refused(400, "parameter_unknown", str(error)) from error


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return JSONResponse({"error": error.error}, error.status)
