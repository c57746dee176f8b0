"""What FastAPI passes to routes."""

from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Request

from flashsale.services import Services

ServicesSource = Callable[[], Services]
"""Where an application gets its services from, at each request."""


async def _services(request: Request) -> Services:
    source: ServicesSource = request.app.state.services
    return source()


Injected = Annotated[Services, Depends(_services)]
