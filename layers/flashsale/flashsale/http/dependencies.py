"""What routes are given."""

from typing import Annotated

from fastapi import Depends

from flashsale import process
from flashsale.bootstrap import Services


async def get_services() -> Services:
    """The services of this process; tests put others in their place."""
    return process.services()


Injected = Annotated[Services, Depends(get_services)]
