"""The application that granian serves: the buy function's API, with /metrics and the sweep.

Run it with `granian --interface asgi infra.edge.app:app`, and `python -m infra.edge.relay` beside.
"""

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI, Response
from prometheus_client import CONTENT_TYPE_LATEST

from flashsale import process
from flashsale.http.observe import Observe
from functions.buy.app import api
from infra.edge.metrics import emit, exposition
from infra.edge.standing import end, sweep_forever


@asynccontextmanager
async def _lifespan(_: FastAPI) -> AsyncIterator[None]:
    services = process.services()
    # What is imported stays for good: a full collection need not walk it while buyers wait.
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000)
    sweeping = asyncio.create_task(sweep_forever(services))
    yield
    await end(sweeping)
    await services.close()


router = APIRouter(lifespan=_lifespan)


@router.get("/metrics", include_in_schema=False)
async def metrics() -> Response:
    """What Prometheus scrapes: the figures of all workers, whichever answers."""
    return Response(exposition(), media_type=CONTENT_TYPE_LATEST)


api.include_router(router)
app = Observe(api, emit)
