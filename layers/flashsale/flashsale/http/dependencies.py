"""What routes are given."""

import os
from functools import cache
from typing import Annotated

from fastapi import Depends

from flashsale.bootstrap import Services
from flashsale.config import Settings


@cache
def _services() -> Services:
    return Services(Settings.from_mapping(os.environ))


async def get_services() -> Services:
    """The services of this process, built on first use."""
    return _services()


Injected = Annotated[Services, Depends(get_services)]
