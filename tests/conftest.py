"""Real servers for all tests: Valkey and PostgreSQL on free ports, in a folder of their own."""

import os
import signal
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import pytest
from xdist.scheduler import LoadScopeScheduling

from flashsale.config import Settings
from flashsale.services import Services
from flashsale_local.paths import ROOT
from flashsale_local.sale.seed import seed
from flashsale_local.stack import program
from flashsale_local.stack.stack import Stack
from tests.helpers.patience import raise_limits
from tests.helpers.stores import migrate_and_seed, running_stack, settings_of

# Tests use their own servers, whatever the developer's shell names.
for variable in ("REDIS_URL", "DATABASE_URL", "AWS_ENDPOINT_URL", "FLASHSALE_STACK"):
    os.environ.pop(variable, None)
os.environ.update(
    AWS_ACCESS_KEY_ID="test",
    AWS_SECRET_ACCESS_KEY="test",
    AWS_DEFAULT_REGION="us-east-1",
    POWERTOOLS_SERVICE_NAME="flashsale",
    POWERTOOLS_METRICS_NAMESPACE="flashsale",
)

# What a shell starts in the background ignores SIGINT, and so would the commands of the tests.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Concurrent processes of tests (pytest -n) choose free ports from separate ranges. So no two find
# the same port before one of them uses it.
WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
program.PORTS = range(20_000 + WORKER * 1_500, 20_000 + (WORKER + 1) * 1_500)

# Folders whose tests stay in one process, because they share a deployment or stores.
# Tests of deployments are apart from the rest of e2e, because each of the two takes minutes.
WHOLE = ("tests/e2e/deployments", "tests/e2e", "tests/hostile")
# The longest chains of tests start first, where tests run concurrently.
ORDER = (*WHOLE, "tests/integration/troubles", "tests/integration")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadScopeScheduling:
    """Deal the tests out, file by file, in the order of the collection."""
    config.option.loadscopereorder = False
    return _Scheduling(config, log)


class _Scheduling(LoadScopeScheduling):  # type: ignore[misc]
    """Keeps the tests of a file in one process, and those of some folders."""

    def _split_scope(self, nodeid: str) -> str:
        folder = next((one for one in WHOLE if nodeid.startswith(f"{one}/")), "")
        return folder or nodeid.split("::", maxsplit=1)[0]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest chains of tests."""
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    turns = [turn for turn, start in enumerate(ORDER) if item.nodeid.startswith(start)]
    return min(turns, default=len(ORDER))


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """Start Valkey and PostgreSQL. `deployed` adds the emulator."""
    with running_stack() as stack:
        yield stack


@pytest.fixture(scope="session")
def settings(stack: Stack) -> Settings:
    """Return the settings of a function in this stack. Its queue is a closed port."""
    return settings_of(stack)


@pytest.fixture(scope="session")
def migrated(settings: Settings) -> Settings:
    """Return the settings, with a schema and buyers in the database."""
    migrate_and_seed(settings)
    return settings


@pytest.fixture(autouse=True)
def patient(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Raise the timeouts of stores, except in unit tests and those with the mark `deadline`.

    A busy machine stalls the stores now and then.
    """
    is_unit = "unit" in request.path.relative_to(ROOT / "tests").parts
    if not is_unit and not request.node.get_closest_marker("deadline"):
        raise_limits(monkeypatch.setattr)


@pytest.fixture
async def services(migrated: Settings) -> AsyncIterator[Services]:
    """Return the application's services, connected to the real stores."""
    services = Services(migrated)
    yield services
    await services.close()


NewProduct = Callable[..., Awaitable[str]]


@pytest.fixture
def new_product(services: Services) -> NewProduct:
    """Return a function that makes a product for a test: `await new_product(stock=10)`."""

    async def make(stock: int, *, in_redis: int | None = None, on_sale: bool = True) -> str:
        product_id = f"t-{uuid.uuid4().hex[:12]}"
        await seed(services, [], [product_id], stock)
        if on_sale:
            await services.stock.open_sale(product_id, stock if in_redis is None else in_redis)
        return product_id

    return make
