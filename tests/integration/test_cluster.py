"""The scripts, the pipeline and `rebuild` on a Valkey in cluster mode.

One node holds all slots. It rejects commands with keys of two slots all the same.
"""

from dataclasses import replace

import pytest
from redis import Redis

from flashsale.services import Services
from flashsale_local.sale.seed import seed
from flashsale_local.stack.program import free_port
from flashsale_local.stack.valkey import valkey
from tests.helpers.support import eventually
from tests.integration.test_admin_cancel import *  # noqa: F403
from tests.integration.test_admin_cancel_sales import *  # noqa: F403
from tests.integration.test_admin_restock import test_a_sold_out_sale_sells_again  # noqa: F401
from tests.integration.test_admin_sales import *  # noqa: F403
from tests.integration.test_admin_sales_faults import *  # noqa: F403
from tests.integration.test_rebuild import *  # noqa: F403
from tests.integration.test_room_claims import (  # noqa: F401
    test_an_admission_ends_to_the_millisecond,
    test_one_admission_is_one_purchase,
    test_rate_limits_and_keys_count_with_a_room,
)
from tests.integration.test_room_door import *  # noqa: F403
from tests.integration.test_room_openings import *  # noqa: F403
from tests.integration.test_room_queue import *  # noqa: F403
from tests.integration.test_scripts import (  # noqa: F401
    decrement,
    test_an_error_reaches_only_its_caller,
    test_each_call_runs_once_after_redis_lost_the_script,
)
from tests.integration.test_v5_lease import *  # noqa: F403
from tests.integration.test_v5_pipeline import *  # noqa: F403
from tests.integration.test_v5_scripts import *  # noqa: F403


@pytest.fixture(scope="session")
def cluster_url(stack):
    port = free_port()
    plain = valkey(stack.directory / "cluster", port)
    # The default port of its bus, this one + 10,000, may be out of range.
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
async def services(migrated, cluster_url):
    services = Services(replace(migrated, redis_url=cluster_url))
    yield services
    await services.close()


async def test_no_command_has_keys_of_two_products(services, new_product):
    products = [await new_product(1) for _ in range(5)]

    assert await services.stock.left([*products, "no-such"]) == [1] * 5 + [None]


async def test_seeding_works_and_the_causes_of_failures_are_kept(services):
    await seed(services, [], [f"c-{n}" for n in range(3)], 5)

    assert await services.failures.causes(["no", "such", "message"]) == {}
    assert not await services.relay_inbox.is_served()
