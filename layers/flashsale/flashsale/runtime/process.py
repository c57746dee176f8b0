"""What lives as long as a process: its services, and the event loop of a queue function."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from functools import cache
from typing import TypeVar

from flashsale.config import Settings
from flashsale.services import Services

T = TypeVar("T")


@cache
def services() -> Services:
    """Return the services of this process, built from its environment at the first call."""
    return Services(Settings.from_mapping(os.environ))


@cache
def _runner() -> asyncio.Runner:
    return asyncio.Runner()


def run(use_case: Callable[[Services], Awaitable[T]]) -> T:
    """Run a use case to its end.

    All invocations of this process share one event loop, so that connections outlive each of them.
    """

    async def with_services() -> T:
        return await use_case(services())

    # `Runner.run` also handles SIGINT. Its handler is looked up as an enum, which fails with a text
    # of the whole outcome, twice per batch.
    return _runner().get_loop().run_until_complete(with_services())
