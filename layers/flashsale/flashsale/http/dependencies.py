"""What routes are given."""

from typing import Annotated

from fastapi import Depends

from flashsale.runtime import process
from flashsale.services import Services


async def get_services() -> Services:
    """The services of this process; tests put others in their place."""
    return process.services()


Injected = Annotated[Services, Depends(get_services)]
