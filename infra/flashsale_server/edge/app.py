"""The application that granian serves: the API of buyers and admins, with /metrics and the sweep.

Run it with `python -m flashsale_server.edge`, and `python -m flashsale_server.edge.relay` beside.
"""

import asyncio
import gc
import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI, HTTPException, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST

from flashsale.http import admin
from flashsale.http.observe import Observe
from flashsale.runtime import process
from flashsale_server.edge import LOG_FORMAT
from flashsale_server.edge.background import end, keep_forever, sweep_forever
from flashsale_server.edge.counting import CountingQueue
from flashsale_server.edge.figures import FIGURES
from flashsale_server.edge.metrics import emit, start_at_zero
from flashsale_server.edge.peers import behind_proxies, is_inside
from flashsale_server.edge.totals import exposition
from functions.buy.app import api


@asynccontextmanager
async def _lifespan(_: FastAPI) -> AsyncIterator[None]:
    # For what this edge itself logs; the application's own logger is Powertools'.
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter(LOG_FORMAT))
    logging.getLogger("flashsale_server").addHandler(handler)
    start_at_zero()
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR", "")
    FIGURES.keep_in(folder, asyncio.get_running_loop().call_soon)
    keeping = asyncio.create_task(keep_forever())
    services = process.services()
    services.order_queue = CountingQueue(services.order_queue)
    # What is imported stays for good: a full collection need not walk it while buyers wait.
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000)
    sweeping = asyncio.create_task(sweep_forever(services))
    yield
    await end(sweeping)
    await end(keeping)
    await services.close()
    FIGURES.write()


router = APIRouter(lifespan=_lifespan)


@router.get("/metrics", include_in_schema=False)
async def metrics(request: Request) -> Response:
    """What Prometheus scrapes: the figures of all workers, whichever answers."""
    if not is_inside(request):
        raise HTTPException(404, "Not Found")
    return Response(exposition(), media_type=CONTENT_TYPE_LATEST)


api.include_router(admin.router)
api.include_router(router)
app = behind_proxies(Observe(api, emit), os.environ)
