"""`flashsale verify` and `status` name payments that still need their order or a refund."""

import asyncio
import json
from dataclasses import asdict, replace
from decimal import Decimal

import pytest

from flashsale.domain.payments import Payment
from flashsale_local.cli.status import _undecided as count_for_status
from flashsale_local.sale.undecided import Undecided
from tests.integration.held_shop import held_shop


@pytest.fixture
async def shop(services, new_product):
    return await held_shop(services, new_product)


@pytest.fixture
async def undecided(services, shop):
    """Pay an order twice, and one that is not written yet."""
    order = await shop.reserve()
    for name in ("pay-1", "pay-2"):
        await shop.pay(order, name)
    payment = Payment(f"{order.id}/early", f"{shop.product_id}:1-1", Decimal("7.50"), "EUR")
    await services.payments.apply(payment)


async def test_verify_names_the_payments_of_its_products(shop, undecided, new_product, flashsale):
    other = await new_product(1)

    shown = flashsale("verify", shop.product_id)
    told = json.loads(flashsale("verify", shop.product_id, "--json").stdout)
    others = flashsale("verify", other)

    assert shown.returncode == 0, shown.stderr
    line = Undecided(waiting=1, refund_due=1).line
    assert line.startswith("Payments: 1 WAITING for the order (")
    assert "1 REFUND_DUE (" in line
    assert "flashsale payments --due" in line
    assert line in shown.stdout
    assert told["payments"] == {"waiting": 1, "refund_due": 1}
    assert "Payments:" not in others.stdout


async def test_status_counts_the_payments_of_all_products(undecided, target):
    found = await asyncio.to_thread(count_for_status, target)

    assert found.waiting >= 1
    assert found.refund_due >= 1


def test_status_does_not_guess_without_postgresql(target):
    nowhere = replace(target, database_url="postgresql://postgres@127.0.0.1:1/postgres")

    assert count_for_status(nowhere) is None


def test_without_such_payments_there_is_no_line():
    assert asdict(Undecided()) == {"waiting": 0, "refund_due": 0}
    assert Undecided().line == ""
