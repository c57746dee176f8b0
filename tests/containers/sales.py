"""Sales in a stack in containers."""

import uuid
from dataclasses import dataclass

import httpx
from tenacity import retry, retry_if_result, stop_after_delay, wait_fixed

from flashsale.domain.model import Terms
from flashsale.usecases.books import Books
from flashsale_local.deployment.target import with_services
from flashsale_local.sale.answers import AnswerKind
from flashsale_local.sale.demo import await_orders
from flashsale_local.sale.load import Answer, buy_all
from flashsale_local.sale.seed import seed, user_ids
from flashsale_local.sale.warm_up import warm_up

UNITS, BUYERS = 20, 60
# So few at a time that a busy machine answers each within its deadline.
CONNECTIONS = 4


@dataclass(frozen=True)
class Sale:
    """The answers of one sale, and its books after the last order was written."""

    answers: list[Answer]
    books: Books

    @property
    def accepted(self):
        """How many buyers got a unit."""
        return sum(answer.kind is AnswerKind.ACCEPTED for answer in self.answers)


def hold_a_sale(stack, generation, edge):
    """Sell 20 units to 60 buyers, and wait until the last order is written."""
    target, product = stack.target, f"sale-{uuid.uuid4().hex[:12]}"

    async def hold(services):
        users = user_ids(BUYERS)
        await seed(services, users, [product], UNITS)
        await services.stock.open_sale(product, UNITS, Terms(generation=generation))
        await warm_up(target)
        answers = await buy_all(
            target.edges[edge], generation, product, users, CONNECTIONS, lambda _: None
        )
        accepted = sum(answer.kind is AnswerKind.ACCEPTED for answer in answers)
        return Sale(answers, await await_orders(target, services, product, accepted))

    return with_services(target, hold)


def request(endpoint, method, path, **more):
    """Send one request to an edge."""
    headers = {**endpoint.headers, **more.pop("headers", {})}
    return httpx.request(method, f"{endpoint.url}{path}", headers=headers, timeout=60, **more)


@retry(
    retry=retry_if_result(lambda answer: answer.status_code == httpx.codes.SERVICE_UNAVAILABLE),
    wait=wait_fixed(1), stop=stop_after_delay(60),
    retry_error_callback=lambda state: state.outcome.result(),
)  # fmt: skip
def read(endpoint, path, **more):
    """Read from an edge, again while it answers 503, as a busy machine lets it do."""
    return request(endpoint, "GET", path, **more)
