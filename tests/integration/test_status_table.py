"""Each cell of the status table in docs/api.md matches the answer of its generation."""

import asyncio
import dataclasses
from datetime import UTC, datetime, timedelta

import pytest

from flashsale.domain.model import Terms
from flashsale.http import in_time, limits
from flashsale.http.application import create_app
from flashsale_local.paths import ROOT
from tests.helpers.in_process import buyer_of
from tests.helpers.queued import books_of
from tests.helpers.support import USERS

GENERATIONS = range(1, 6)
HEAD = "| what happens | V1 | V2 | V3 | V4 | V5 |"
DOCUMENT = create_app().openapi()
# Statuses that OpenAPI documents do not list for each route.
UNLISTED = {"another method, such as GET", "another path", "a mistake of ours"}
MALFORMED = [
    {"productId": ...}, {"productId": ""}, {"productId": "{p}"}, {"productId": "."},
    {"productId": ".."}, {"userId": ...}, {"userId": " "}, {"userId": 1}, {"price": 1},
    {"product_id": "p-01"}, {"quantity": 0}, {"quantity": -1}, {"quantity": "1"},
    {"quantity": None}, {"quantity": 1.5}, {"quantity": True}, {"quantity": 1001},
]  # fmt: skip


def table():
    """Return the statuses by case: {"the stock is out": [400, 400, 400, 400, 409]}."""
    lines = (ROOT / "docs" / "api.md").read_text().splitlines()
    found = {}
    for line in lines[lines.index(HEAD) + 2 :]:
        if not line.startswith("|"):
            break
        what, *cells = (cell.strip().strip("¹² ") for cell in line.strip("|").split("|"))
        found[what.replace("`", "")] = [int(cell) for cell in cells]
    return found


class Queue:
    """Accepts all messages, because this stack has no SQS."""

    async def push(self, order):
        pass

    async def send(self, envelopes):
        pass


class Shop:
    """Sends purchases of a product that only this test uses."""

    def __init__(self, http, services, stack, product_id, sold_out_id):
        self.http, self.services, self.stack = http, services, stack
        self.product_id, self.sold_out_id = product_id, sold_out_id

    async def buy(self, generation, method="POST", path="buy", **fields):
        body = {"productId": self.product_id, "userId": USERS[0], **fields}
        body = {name: value for name, value in body.items() if value is not ...}
        return await self.http.request(method, f"/api/v{generation}/{path}", json=body)

    async def buy_without(self, program, generation):
        self.stack.supervisor.stop_program(program.name)
        try:
            return await self.buy(generation)
        finally:
            self.stack.start(program)


@pytest.fixture
async def shop(services, stack, new_product):
    product_id, sold_out_id = await new_product(9), await new_product(0)
    without_queue, services.order_queue = services.order_queue, Queue()
    async with buyer_of(services) as http:
        shop = Shop(http, services, stack, product_id, sold_out_id)
        shop.without_queue, shop.new_product = without_queue, new_product
        yield shop


async def is_sold(shop, generation):
    return [await shop.buy(generation), await shop.buy(generation, quantity=1)]


async def is_no_product(shop, generation):
    never_on_sale = await shop.new_product(9, on_sale=False)
    ids = ("no-such-product", never_on_sale)
    return [await shop.buy(generation, productId=product_id) for product_id in ids]


async def is_anothers(shop, generation):
    answers = []
    for other in set(GENERATIONS) - {generation}:
        product_id = await shop.new_product(9, on_sale=False)
        await shop.services.stock.open_sale(product_id, 9, Terms(generation=other))
        answers.append(await shop.buy(generation, productId=product_id))
    return answers


async def is_not_open(shop, generation):
    early, paused, over = [await shop.new_product(9, on_sale=False) for _ in range(3)]
    stock, hour, now = shop.services.stock, timedelta(hours=1), datetime.now(UTC)
    await stock.open_sale(early, 9, Terms(starts_at=now + hour))
    await stock.open_sale(paused, 9)
    await stock.pause_sale(paused)
    await stock.open_sale(over, 9, Terms(ends_at=now - hour))
    return [await shop.buy(generation, productId=id_) for id_ in (early, paused, over)]


async def is_malformed(shop, generation):
    return [await shop.buy(generation, **fields) for fields in MALFORMED]


async def is_large(shop, generation):
    return [await shop.buy(generation, more="x" * limits.MAX_BODY)]


async def is_slow(shop, generation):
    async def body():
        yield b"{"
        await asyncio.Event().wait()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(in_time, "BODY_TIME", 0.05)
        return [await shop.http.post(f"/api/v{generation}/buy", content=body())]


async def is_another_method(shop, generation):
    return [await shop.buy(generation, method) for method in ("GET", "PUT", "DELETE")]


async def is_another_path(shop, generation):
    return [await shop.buy(generation, path=path) for path in ("buys", "buy/", "")]


async def has_no_queue(shop, generation):
    shop.services.order_queue = shop.without_queue
    return [await shop.buy(generation)]


async def has_no_token(shop, generation):
    shop.services.settings = dataclasses.replace(shop.services.settings, auth="jwt")
    return [await shop.buy(generation)]


async def has_a_bug(shop, generation):
    async with buyer_of(None) as shop.http:
        return [await shop.buy(generation)]


async def one(answer):
    return [await answer]


WAYS = {
    "units are sold (201), or claimed (202)": is_sold,
    "the stock is out": lambda s, g: one(s.buy(g, productId=s.sold_out_id)),
    "no such product, or none that was ever on sale": is_no_product,
    "another generation sells the product": is_anothers,
    "the sale has not begun, is paused, or is over": is_not_open,
    "no such user": lambda s, g: one(s.buy(g, userId="nobody")),
    "a field is missing, blank, malformed or unknown": is_malformed,
    "quantity is 2": lambda s, g: one(s.buy(g, quantity=2)),
    "the body is above 16 KiB": is_large,
    "the body takes more than 15 s": is_slow,
    "another method, such as GET": is_another_method,
    "another path": is_another_path,
    "Redis is down": lambda s, g: one(s.buy_without(s.stack.redis, g)),
    "PostgreSQL is down": lambda s, g: one(s.buy_without(s.stack.database, g)),
    "SQS is down": has_no_queue,
    "a token is missing where buyers need one": has_no_token,
    "a mistake of ours": has_a_bug,
}
CELLS = [
    pytest.param(what, generation, status, id=f"V{generation}: {what}")
    for what, cells in table().items()
    for generation, status in zip(GENERATIONS, cells, strict=True)
]


@pytest.mark.parametrize(("what", "generation", "status"), CELLS)
async def test_each_cell_matches_the_answer_and_the_document(shop, what, generation, status):
    answers = await WAYS[what](shop, generation)

    assert {answer.status_code for answer in answers} == {status}
    documented = DOCUMENT["paths"][f"/api/v{generation}/buy"]["post"]["responses"]
    assert str(status) in documented or what in UNLISTED
    if status >= 400:
        books = await books_of(shop.services, shop.product_id)
        assert (books.stock, books.postgres_stock) == (9, 9) or what in TAKES_THE_UNIT.get(
            generation, ()
        )


# See the notes below the table: V3 loses the unit of a rejected purchase.
TAKES_THE_UNIT = {3: ("no such user", "PostgreSQL is down")}


def test_the_table_has_each_case_once():
    assert set(table()) == set(WAYS)


@pytest.mark.parametrize(
    ("generation", "lost"), [(1, 0), (2, 0), (3, 1)], ids=["V1", "V2", "V3, as docs/api.md says"]
)
async def test_an_unknown_user_takes_no_unit_except_at_v3(shop, generation, lost):
    answer = await shop.buy(generation, userId="nobody")

    books = await books_of(shop.services, shop.product_id)
    assert answer.json() == {"error": "Not Found", "message": "User not found"}
    assert books.postgres_stock == 9
    assert books.stock == 9 - lost
