"""The API in process. Each test builds an application of its own, so none finds another's."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from flashsale.http.application import create_app
from flashsale.services import Services


@asynccontextmanager
async def client_of(application, **options) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an ASGI application, which sees a bug as any client does: as a 500."""
    transport = httpx.ASGITransport(application, raise_app_exceptions=False, **options)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


@asynccontextmanager
async def buyer_of(services: Services) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the buyers' API on these services."""
    async with client_of(create_app(lambda: services)) as client:
        yield client
