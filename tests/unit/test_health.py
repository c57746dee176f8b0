"""The check of the stores: what counts as down, and from when on its time counts."""

from functools import cached_property
from types import SimpleNamespace

import pytest

from flashsale.errors import StockUnavailable
from flashsale.usecases.health import CHECKS, ask_stores


class NewProcess:
    """Services whose adapters are built on first use; it keeps what happens in which order."""

    def __init__(self, broken=""):
        self.happened, self._broken = [], broken

    def _adapter(self, name):
        self.happened.append(f"build {name}")
        if name == self._broken:
            raise ValueError(name)

        async def ping():
            self.happened.append(f"ask {name}")

        return SimpleNamespace(ping=ping)

    @cached_property
    def stock(self):
        return self._adapter("redis")

    @cached_property
    def database(self):
        return self._adapter("postgresql")

    @cached_property
    def order_queue(self):
        return self._adapter("sqs")


async def test_all_adapters_are_built_before_a_store_is_asked():
    """Building blocks the loop for longer in a cold start than a store may take to answer."""
    services = NewProcess()

    assert await ask_stores(services) == dict.fromkeys(CHECKS, True)
    assert [step.partition(" ")[0] for step in services.happened] == ["build"] * 3 + ["ask"] * 3


@pytest.mark.parametrize("broken", CHECKS)
async def test_a_store_whose_adapter_cannot_be_built_is_down(broken):
    expected = {name: name != broken for name in CHECKS}

    assert await ask_stores(NewProcess(broken)) == expected


async def test_a_store_that_refuses_is_down():
    services = NewProcess()

    async def refuse():
        raise StockUnavailable("Redis: gone")

    services.stock.ping = refuse

    assert await ask_stores(services, ["redis", "sqs"]) == {"redis": False, "sqs": True}
