"""The ASGI edge with one more stream, whose states are large and change at once."""

import asyncio
import math

from fastapi import APIRouter, Request

from flashsale_server.edge.app import create_edge
from flashsale_server.edge.events import Stream, StreamRoute
from flashsale_server.edge.stream_metrics import SALE
from flashsale_server.edge.topics import Topic

FRAME = b"event: flood\ndata: 0\n: " + b"x" * 65_536 + b"\n\n"

router = APIRouter(route_class=StreamRoute)


class Flood(Topic):
    def __init__(self):
        super().__init__(SALE, "flood", "nothing")
        self.task = asyncio.create_task(self._rise())

    async def _rise(self):
        while True:
            self._publish(FRAME)
            await self.tell()
            await asyncio.sleep(0.01)


@router.get("/flood")
async def flood(request: Request):
    hub, client = request.app.state.hub, request.client
    listener = hub.enter(SALE, "", (client.host, str(client.port)), math.inf)
    listener.follow(Flood())
    return Stream(hub, listener)


app = create_edge(router)
