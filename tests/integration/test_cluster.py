"""The scripts, the pipeline and `rebuild` on a Valkey in cluster mode.

One node holds all slots; that is enough to refuse keys of two slots in one command.
"""

from dataclasses import replace

import pytest
from redis import Redis

from flashsale.services import Services
from flashsale_local.sale.seed import seed
from flashsale_local.stack.program import free_port
from flashsale_local.stack.valkey import valkey
from tests.integration.test_admin_cancel import *  # noqa: F403
from tests.integration.test_admin_cancel_sales import *  # noqa: F403
from tests.integration.test_admin_restock import test_a_sold_out_sale_sells_again  # noqa: F401
from tests.integration.test_admin_sales import *  # noqa: F403
from tests.integration.test_admin_sales_faults import *  # noqa: F403
from tests.integration.test_rebuild import *  # noqa: F403
from tests.integration.test_scripts import (  # noqa: F401
    decrement,
    test_a_redis_that_forgot_the_script_runs_each_call_once,
    test_an_error_reaches_its_caller_only,
)
from tests.integration.test_v5_pipeline import *  # noqa: F403
from tests.integration.test_v5_scripts import *  # noqa: F403
from tests.support import eventually


@pytest.fixture(scope="session")
def cluster_url(stack):
    port = free_port()
    plain = valkey(stack.directory / "cluster", port)
    # Its own bus would be at this port + 10,000, which may be no port at all.
    options = ["--cluster-enabled", "yes", "--cluster-port", str(free_port())]
    command = [*plain.command, *options]
    node = replace(plain, name="valkey-cluster", command=command)
    stack.add(node)
    with Redis(port=port, decode_responses=True) as redis:
        redis.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        eventually(lambda: "cluster_state:ok" in redis.execute_command("CLUSTER", "INFO"))
    yield plain.url.replace("redis://", "redis+cluster://").removesuffix("/0")
    stack.supervisor.stop_program(node.name)


@pytest.fixture
async def services(migrated, cluster_url, patient):
    services = Services(replace(migrated, redis_url=cluster_url))
    yield services
    await services.close()


async def test_keys_of_two_products_are_never_in_one_command(services, new_product):
    products = [await new_product(1) for _ in range(5)]

    assert await services.stock.left([*products, "no-such"]) == [1] * 5 + [None]


async def test_the_shop_is_filled_and_the_causes_of_failures_are_kept(services):
    await seed(services, [], [f"c-{n}" for n in range(3)], 5)

    assert await services.failures.causes(["no", "such", "message"]) == {}
    assert not await services.relay_inbox.is_served()
