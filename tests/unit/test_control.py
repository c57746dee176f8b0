"""Actions of an operator on many sales at once."""

import asyncio
from types import SimpleNamespace

import pytest

from flashsale_local.sale.control import Operator, act_on_sales

POOL = 3


@pytest.fixture
def services():
    async def snapshot(*_, **__):
        return None

    settings = SimpleNamespace(database_pool_size=POOL)
    return SimpleNamespace(settings=settings, ledger=SimpleNamespace(snapshot=snapshot))


async def test_no_more_actions_run_at_once_than_there_are_connections(services):
    """One that waits for a connection loses the time in which PostgreSQL has to record it."""
    acting, most = 0, 0
    pauses = [Operator("ops").action("pause", f"p-{n}", {}, f"key-{n}") for n in range(200)]

    async def act(*_):
        nonlocal acting, most
        acting += 1
        most = max(most, acting)
        await asyncio.sleep(0)
        acting -= 1

    acted = await act_on_sales(services, pauses, act)

    assert [outcome.target for outcome in acted.outcomes] == [pause.target for pause in pauses]
    assert most == POOL
