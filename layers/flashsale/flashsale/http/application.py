"""The applications of buyers and of admins, put together from their routes.

Each call builds a new application, so that a caller may do with its own what it likes. A function
imports no routes but its own, because each import makes its cold start longer.
"""

import os
from collections.abc import Sequence
from typing import Any

import flashsale.http.lean  # noqa: F401 - before FastAPI, to start sooner

# isort: split
from fastapi import APIRouter

from flashsale.config import origins
from flashsale.http.dependencies import ServicesSource
from flashsale.http.document import DocumentedAPI
from flashsale.http.errors import add_error_handlers
from flashsale.http.guards import add_guards
from flashsale.runtime import process

# ruff: noqa: PLC0415 - see above


def create_app(
    services: ServicesSource = process.services, *, more: Sequence[APIRouter] = ()
) -> DocumentedAPI:
    """Build the API of buyers: all generations, products, orders, health and its pages.

    Args:
        services: where its routes get their services from, at each request.
        more: routes beside them, such as the admin API on a server that has both.

    """
    from flashsale.http import (
        buy,
        docs,
        front_page,
        health,
        orders,
        payments,
        products,
        rooms,
    )

    pages = docs.router, front_page.router
    return _create(
        services,
        [
            *(*orders.ROUTERS, payments.router, rooms.visits, *products.ROUTERS),
            *(health.router, *pages, *more),
        ],
        # First, and not by a router: FastAPI looks into each router twice for each request.
        routes=[route for router in (*buy.ROUTERS, rooms.document) for route in router.routes],
        title="flashsale",
        summary="A flash sale, five generations side by side",
        docs_url=None,  # see `docs`
        redoc_url=None,
        # Relative, because the API may live below a path prefix (an emulator's, a stage's).
        servers=[{"url": "."}],
    )


def create_admin_app(services: ServicesSource = process.services) -> DocumentedAPI:
    """Build the API of admins."""
    from flashsale.http import admin, admin_rooms

    return _create(
        services,
        [admin.router, admin_rooms.router],
        title="flashsale admin",
        summary="Runs the shop",
        openapi_url=None,  # an admin API does not describe itself to clients without a token
    )


def _create(
    services: ServicesSource, routers: Sequence[APIRouter], **description: Any
) -> DocumentedAPI:
    api = DocumentedAPI(
        version="1.0.0",
        redirect_slashes=False,  # the redirect would name the host that the client claims
        # FastAPI's own OpenTelemetry looks for its providers on every request; there are none.
        telemetry={"tracing": False, "metrics": False, "logs": False},
        **description,
    )
    api.state.services = services
    add_error_handlers(api)
    add_guards(api, origins(os.environ))
    for router in routers:
        api.include_router(router)
    return api
