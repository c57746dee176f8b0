"""The purchases in README and docs/api.md, in order: each is accepted, the books balance."""

import json
import re
import shlex

import pytest

from flashsale.usecases.books import read_books
from flashsale.usecases.place_orders import place_orders
from flashsale_local.paths import ROOT
from tests.helpers.in_process import buyer_of
from tests.helpers.queued import Queue

README = (ROOT / "README.md").read_text()
API = (ROOT / "docs" / "api.md").read_text()
RUNNING = (ROOT / "docs" / "running.md").read_text()
ACCEPTED = {"/api/v2/buy": 201}


def pasted(products):
    """Return path, headers and body of each curl command and each event in the pages.

    Products and keys are replaced by ones that only this test uses.
    """
    (front,) = re.findall(r"```sh\n(eval.*?)```", README, re.DOTALL)
    (block,) = re.findall(r"work as pasted[^`]*```sh\n(.*?)```", API, re.DOTALL)
    for line in (front + block).replace("\\\n", " ").splitlines():
        words = shlex.split(line.removeprefix("answer=$(").rstrip(")"))
        if words[:1] == ["curl"] and not any("$(" in word for word in words):
            path = next(word.removeprefix("$API") for word in words if word.startswith("$API"))
            headers = [word.lower().split(": ", 1) for word in words if re.match(r"[\w-]+: ", word)]
            body = next((word for word in words if word.startswith("{")), None)
            yield _own(products, path, dict(headers), body)
    for name in re.findall(r"events/(buy-[\w-]+)\.json", RUNNING):
        event = json.loads((ROOT / "events" / f"{name}.json").read_text())
        yield _own(products, event["rawPath"], event["headers"], event["body"])


def _own(products, path, headers, body):
    def own(text):
        return text and re.sub("|".join(products), lambda found: products[found[0]], text)

    if "idempotency-key" in headers:
        headers |= {"idempotency-key": f"{headers['idempotency-key']}-{products['p-03']}"}
    return own(path), headers, own(body)


@pytest.fixture
async def http(services):
    services.order_queue = Queue()
    async with buyer_of(services) as client:
        yield client


async def test_the_books_balance_after_the_examples(http, services, new_product):
    products = {f"p-{n:02}": await new_product(100) for n in range(1, 11)}
    sold = set()

    for path, headers, body in pasted(products):
        answer = await http.request("POST" if body else "GET", path, headers=headers, content=body)
        if body:
            assert answer.status_code == ACCEPTED.get(path, 202), (path, body, answer.text)
            sold.add(json.loads(body)["productId"])
        for name in ("p-03", "p-05"):
            await services.ledger.renew_lease(products[name], "test", 0)
        await place_orders(services, services.order_queue.take())

    assert sold == {products[name] for name in ("p-01", "p-02", "p-03", "p-05")}
    for books in await read_books(services, list(products.values())):
        assert books.balanced, books
        assert len(books.generations) == (books.product_id in sold)
