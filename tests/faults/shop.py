"""A shop that sells through proxies, and the guarantees that are checked after each fault."""

import asyncio
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import boto3
import httpx

from flashsale.errors import ServiceUnavailable
from flashsale.services import Services
from flashsale.usecases.books import Books, read_books
from flashsale_local.clouds.endpoint import Endpoint
from flashsale_local.deployment import deploy
from flashsale_local.deployment.target import Target
from flashsale_local.stack.program import Program
from flashsale_local.stack.stack import Stack
from flashsale_server.queues.depths import depths
from tests.helpers.proxy import Proxy

# Seconds within which all orders must end. This covers several visibility timeouts and sweeps.
RECOVERY_DEADLINE = 120.0
# Buyers that PostgreSQL does not know. Their orders are rolled back, in every test.
STRANGERS = ("stranger-1", "stranger-2", "stranger-3")


@dataclass
class Sold:
    """The answers to buyers: ids of accepted orders, and how many got another or no answer."""

    order_ids: list[str] = field(default_factory=list)
    refused: int = 0
    unanswered: int = 0

    def __iadd__(self, other: "Sold") -> "Sold":
        self.order_ids += other.order_ids
        self.refused += other.refused
        self.unanswered += other.unanswered
        return self


@dataclass
class Shop:
    """The deployed application with both edges. The names of proxies are client.server."""

    stack: Stack
    target: Target
    parameters: dict[str, str]
    proxies: dict[str, Proxy]
    web: Program = field(init=False)
    relay: Program = field(init=False)

    def deploy(self) -> None:
        """Deploy the build to the emulator."""
        log = self.stack.directory / "logs" / "sam-deploy.log"
        with deploy.building():  # other processes of tests deploy the same build
            deploy.deploy("local", self.target.stack_name, self.parameters, log)
        self.target.cloud.finish_deploy(self.target.stack_name, self.parameters)

    async def sell(self, product_id: str, users: list[str], edge: str = "asgi") -> Sold:
        """Let each of these users and some strangers buy one unit, eight at a time."""
        endpoint = Endpoint(self.web.url) if edge == "asgi" else self.target.api
        waiting, sold = iter([*users, *STRANGERS]), Sold()

        async def buyer() -> None:
            for user in waiting:
                body = {"productId": product_id, "userId": user}
                try:
                    # Each buyer has a connection, so that a cut affects no other buyer.
                    async with endpoint.client() as http:
                        answer = await http.post("/api/v5/buy", json=body)
                except httpx.HTTPError:
                    sold.unanswered += 1
                    continue
                if answer.status_code == 202:
                    sold.order_ids.append(answer.json()["orderId"])
                elif answer.status_code in (409, 429):
                    sold.refused += 1
                else:
                    sold.unanswered += 1

        await asyncio.gather(*(buyer() for _ in range(8)))
        return sold

    def kill(self, program: Program) -> None:
        """Kill a server and its children (SIGKILL), as if a machine failed."""
        self.stack.supervisor.kill_program(program.name)

    def mapping(self, *, on: bool) -> None:
        """Enable or disable the queue trigger of the order function."""
        client = boto3.client("lambda")
        name = f"{self.target.stack_name}-order"
        (mapping,) = client.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
        client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=on)

    def hide_messages(self, seconds: int) -> None:
        """Set the visibility timeout of the orders queue."""
        boto3.client("sqs").set_queue_attributes(
            QueueUrl=self.target.queues["orders"],
            Attributes={"VisibilityTimeout": str(seconds)},
        )

    def command(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run the command `flashsale` on this shop."""
        environment = {
            **self.target.aws_environment,
            "REDIS_URL": self.target.redis_url,
            "DATABASE_URL": self.target.database_url,
            "FLASHSALE_STACK": self.target.stack_name,
            "EMULATOR": self.target.emulator,
        }
        return subprocess.run(
            [str(Path(sys.executable).parent / "flashsale"), *arguments],
            env=environment, capture_output=True, text=True, timeout=RECOVERY_DEADLINE, check=False,
        )  # fmt: skip

    async def recovered(self, services: Services, product_id: str) -> Books:
        """Wait until no claim is unsettled and no message waits, and return the books."""
        end = time.monotonic() + RECOVERY_DEADLINE
        while True:
            waiting = {name: d.total for name, d in depths(self.target.queues).items()}
            try:
                (books,) = await read_books(services, [product_id])
            except ServiceUnavailable:  # a connection from before a restart
                books = None
            if books and not books.unsettled and not any(waiting.values()):
                return books
            assert time.monotonic() < end, f"still {books}, waiting: {waiting}"
            await asyncio.sleep(0.1)

    async def keeps_its_guarantees(
        self, services: Services, product_id: str, sold: Sold, *, cancels: bool = False
    ) -> Books:
        """Check that no unit is oversold or lost, and that every accepted order has ended.

        An order ends CONFIRMED, or CANCELLED with its unit back in the stock.

        Args:
            cancels: whether orders of known users may be cancelled after a long outage.

        """
        books = await self.recovered(services, product_id)
        states = {id_: await services.orders.get(id_) for id_ in sold.order_ids}
        missing = [id_ for id_, state in states.items() if state is None]
        assert not missing, f"accepted orders without a row: {missing}"
        cancelled = await _cancelled_buyers(services, product_id)
        assert cancels or not cancelled, cancelled
        assert (books.oversold, books.lost, books.balanced) == (0, 0, True), books
        assert books.redis_stock == books.initial - books.confirmed
        assert books.ledger is not None
        assert books.ledger.released == books.cancelled
        assert books.postgres_stock == books.redis_stock
        return books


async def _cancelled_buyers(services: Services, product_id: str) -> list[str]:
    """Return the known users whose orders were cancelled. A stranger's row has no user."""
    async with services.database.transaction() as connection:
        rows = await connection.execute(
            "SELECT user_id, reason FROM orders WHERE product_id = %s AND status = 'CANCELLED'"
            " AND user_id IS NOT NULL",
            [product_id],
        )
        return [f"{row['user_id']}: {row['reason']}" for row in await rows.fetchall()]
