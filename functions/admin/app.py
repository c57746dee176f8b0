"""The admin function: runs the shop. It always asks for a token with the scope flashsale/admin."""

import os

import flashsale.http.lean  # noqa: F401 - before FastAPI, to start sooner

# isort: split

from flashsale.config import origins
from flashsale.http import admin
from flashsale.http.document import DocumentedAPI
from flashsale.http.emf import emit
from flashsale.http.errors import add_error_handlers
from flashsale.http.gateway import behind_gateway
from flashsale.http.guards import add_guards
from flashsale.http.observe import Observe
from flashsale.runtime.tracing import traced

api = DocumentedAPI(
    title="flashsale admin",
    summary="Runs the shop",
    version="1.0.0",
    openapi_url=None,  # nothing here is for who has no token
    redirect_slashes=False,  # the redirect would name the host that the client claims
    telemetry={"tracing": False, "metrics": False, "logs": False},
)
add_error_handlers(api)
add_guards(api, origins(os.environ))
api.include_router(admin.router)

handler = traced(os.environ)(behind_gateway(Observe(api, emit)))
