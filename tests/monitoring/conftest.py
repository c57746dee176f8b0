"""A sale on both edges, scraped by a real Prometheus with the shipped configuration."""

import asyncio
import itertools
import math
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import boto3
import httpx
import pytest

from flashsale.config import Settings
from flashsale.domain.model import Terms
from flashsale.services import Services
from flashsale_local.deployment.target import Target
from flashsale_local.sale.seed import seed
from flashsale_local.stack import edge
from flashsale_local.stack.exporter import exporter
from flashsale_local.stack.program import free_port
from flashsale_local.stack.prometheus import find_prometheus, prometheus, write_targets
from flashsale_local.stack.stack import Stack
from tests.e2e.conftest import deployed  # noqa: F401 - a fixture
from tests.helpers.support import USERS, eventually
from tests.integration.room_sale import guard

UNITS = 100_000
# The wheel's PostgreSQL lacks the extension, so a view provides the same columns.
STATEMENTS = """
CREATE OR REPLACE VIEW pg_stat_statements AS
SELECT 'UPDATE  products SET …'::text AS query, 3::bigint AS calls, 1500::float AS total_exec_time
"""


@dataclass(frozen=True)
class Watched:
    """Prometheus, and the URLs that it scrapes by job."""

    url: str
    scraped: dict[str, str]

    def get(self, path: str, **params: Any) -> Any:
        """Return the data of Prometheus' answer."""
        answer = httpx.get(f"{self.url}/api/v1/{path}", params=params, timeout=20)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    def numbers(self, query: str) -> list[float]:
        """Return the current numbers of a query, without NaN."""
        values = [float(row["value"][1]) for row in self.get("query", query=query)["result"]]
        return [value for value in values if math.isfinite(value)]


@pytest.fixture(scope="session")
def watched(stack: Stack, deployed: Target, migrated: Settings) -> Iterator[Watched]:  # noqa: F811
    binary = find_prometheus()
    assert binary, "apt-get install prometheus"
    relay_port = free_port()
    web = edge.web(stack.directory, free_port(), deployed, workers=2)
    exporting = exporter(free_port(), deployed)
    scraped = {
        "edge": web.url, "relay": f"http://127.0.0.1:{relay_port}", "exporter": exporting.url
    }  # fmt: skip
    write_targets(stack.directory, scraped)
    programs = [
        web,
        edge.relay(deployed, relay_port),
        exporting,
        prometheus(binary, stack.directory, free_port()),
    ]
    asyncio.run(_prepare(migrated))
    for program in programs:
        stack.add(program)
    send = boto3.client("sqs").send_message
    send(QueueUrl=deployed.queues["orders"], MessageBody="poison")
    send(QueueUrl=deployed.queues["parking"], MessageBody="poison")
    watched = Watched(programs[-1].url, scraped)
    with _buying({"lambda": deployed.api.url, "asgi": web.url}):
        both_edges_sell = "edge:flashsale_accepted_seconds:p95_5m"
        eventually(lambda: len(watched.numbers(both_edges_sell)) == 2, 180)
        yield watched
    for program in reversed(programs):
        stack.supervisor.stop_program(program.name)


async def _prepare(settings: Settings) -> None:
    services = Services(settings)
    await seed(
        services,
        USERS,
        [*(f"watched-v{generation}" for generation in (2, 4, 5)), "watched-room"],
        UNITS,
    )
    for generation in (2, 4, 5):
        terms = Terms(generation=generation)
        await services.stock.open_sale(f"watched-v{generation}", UNITS, terms)
    await guard(services, "watched-room", UNITS)
    await services.rooms.join("watched-room", USERS[0])
    async with services.database.transaction() as connection:
        await connection.execute(STATEMENTS)
    await services.close()


class _buying:  # noqa: N801 - a context manager, used like a function
    """Lets buyers buy on both edges until the block ends."""

    def __init__(self, urls: dict[str, str]) -> None:
        self._urls = urls
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._buy)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _buy(self) -> None:
        with httpx.Client(timeout=60) as http:
            for user in itertools.cycle(USERS):
                for url, generation in itertools.product(self._urls.values(), (2, 4, 5)):
                    body = {"productId": f"watched-v{generation}", "userId": user}
                    with suppress(httpx.HTTPError):  # other tests check the errors of the shop
                        http.post(f"{url}/api/v{generation}/buy", json=body)
                if self._stop.wait(0.2):
                    return
