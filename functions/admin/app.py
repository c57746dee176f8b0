"""The admin function: runs the shop. It always asks for a token with the scope flashsale/admin."""

import asyncio
import os

import flashsale.http.lean  # noqa: F401 - before FastAPI, to start sooner

# isort: split
from mangum import Mangum

from flashsale.config import origins
from flashsale.http import admin
from flashsale.http.document import DocumentedAPI
from flashsale.http.emf import emit
from flashsale.http.errors import add_error_handlers
from flashsale.http.guards import add_guards
from flashsale.http.observe import Observe
from flashsale.tracing import traced

api = DocumentedAPI(
    title="flashsale admin",
    summary="Runs the shop",
    version="1.0.0",
    openapi_url=None,  # nothing here is for who has no token
    telemetry={"tracing": False, "metrics": False, "logs": False},
)
add_error_handlers(api)
add_guards(api, origins(os.environ))
api.include_router(admin.router)

# Mangum runs on the current event loop, and newer Pythons no longer make one by themselves.
asyncio.set_event_loop(asyncio.new_event_loop())
handler = traced(os.environ)(Mangum(Observe(api, emit), lifespan="off"))
