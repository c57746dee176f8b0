"""The routes of live streams (server-sent events). The Lambda edge has none: its clients poll."""

import asyncio
import math
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.routing import APIRoute
from fastapi.sse import EventSourceResponse
from starlette.types import Receive, Scope, Send

from flashsale.domain.model import ProductId, Refusal
from flashsale.http.auth import Buyer
from flashsale.http.dependencies import Injected
from flashsale.http.orders import no_such_order, v5_state
from flashsale.http.problems import problem_response, refusal_problem
from flashsale.http.rate_headers import PEER, address_of
from flashsale_server.edge.hub import Hub
from flashsale_server.edge.listeners import GONE, Listener
from flashsale_server.edge.stopping import on_stop
from flashsale_server.edge.stream_metrics import CLOSED, OPENED, ORDER, ROUTES, SALE

# Seconds after which a client that got no stream may try again. It polls meanwhile.
TRY_AGAIN = 10


@asynccontextmanager
async def _lifespan(api: FastAPI) -> AsyncIterator[None]:
    hub = api.state.hub = Hub(api.state.services())
    restore = on_stop(hub.stop)
    yield
    restore()
    await hub.close()


async def _hub(request: Request) -> Hub:
    hub: Hub = request.app.state.hub
    return hub


TheHub = Annotated[Hub, Depends(_hub)]
# The key in the scope of a request under which a route leaves its stream.
_STREAM = "flashsale.stream"


class StreamRoute(APIRoute):
    """A route that sends the stream when FastAPI is through with the request.

    So what FastAPI has made for the request is freed before a stream of minutes.
    """

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request to the path of this route."""
        await super().handle(scope, receive, send)
        if stream := scope.pop(_STREAM, None):
            await stream.run(receive, send)


# They are in no OpenAPI document, because that is the same on all edges.
router = APIRouter(lifespan=_lifespan, include_in_schema=False, route_class=StreamRoute)


class Stream(EventSourceResponse):
    """What a listener is sent, as ready bytes.

    FastAPI's own way for generators needs two more tasks and a queue for each stream.
    """

    def __init__(self, hub: Hub, listener: Listener) -> None:
        # nginx would collect events until its buffer is full.
        super().__init__((), headers={"X-Accel-Buffering": "no"})
        self._hub, self._listener = hub, listener

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Leave the stream to its route."""
        scope[_STREAM] = self

    async def run(self, receive: Receive, send: Send) -> None:
        """Send the stream until it ends, or its client goes.

        To HEAD, the server says at once that the client has gone.
        """
        listener = self._listener
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        OPENED.labels(listener.kind).inc()
        watching = asyncio.ensure_future(_watch(receive, listener))
        try:
            await send(start)
            while frames := await listener.next():
                await send({"type": "http.response.body", "body": frames, "more_body": True})
            await send({"type": "http.response.body", "body": listener.goodbye()})
        finally:
            watching.cancel()
            self._hub.leave(listener)
            CLOSED.labels(listener.kind, listener.reason or GONE).inc()


async def _watch(receive: Receive, listener: Listener) -> None:
    """End the stream when its client goes."""
    while (await receive())["type"] != "http.disconnect":
        pass
    listener.end(GONE)


@router.get(ROUTES[SALE])
async def follow_sale(product_id: ProductId, request: Request, hub: TheHub) -> Response:
    """Stream the stock of a V5 sale and its waiting room: the present state, then each change."""
    listener = _enter(hub, SALE, request, math.inf)
    if listener is None:
        return _too_many()
    with ExitStack() as without_stream:
        without_stream.callback(hub.leave, listener)
        if not await hub.follow_sale(listener, product_id):
            return refusal_problem(Refusal.NO_SUCH_PRODUCT)
        without_stream.pop_all()
    return Stream(hub, listener)


@router.get(ROUTES[ORDER])
async def follow_order(
    order_id: str, request: Request, buyer: Buyer, services: Injected, hub: TheHub
) -> Response:
    """Stream the status of an order until it is final, and the sale of its product.

    The order of another buyer is answered as an unknown one.
    """
    listener = _enter(hub, ORDER, request, buyer.until if buyer else math.inf)
    if listener is None:
        return _too_many()
    with ExitStack() as without_stream:
        without_stream.callback(hub.leave, listener)
        state = await v5_state(services, order_id, buyer)
        if state is None:
            return no_such_order()
        owner = None if buyer is None or buyer.is_admin else buyer.user_id
        await hub.follow_order(listener, state, owner)  # it may fail half way
        if buyer:
            hub.replace(listener, (buyer.user_id, order_id))
        without_stream.pop_all()
    return Stream(hub, listener)


def _enter(hub: Hub, kind: str, request: Request, until: float) -> Listener | None:
    """Take a place for a stream; None if there is none.

    Args:
        until: when the token of the client expires, in seconds since 1970.

    """
    peer = request.scope.get(PEER) or request.client or ("", 0)
    ends = asyncio.get_running_loop().time() + until - time.time()
    return hub.enter(kind, address_of(request), (peer[0], str(peer[1])), ends)


def _too_many() -> Response:
    detail = "Too many streams are open; ask for the state instead."
    return problem_response(503, "too_many_streams", detail, {"Retry-After": str(TRY_AGAIN)})
