"""A process remembers for a moment, and in little memory, that a product is sold out."""

import pytest

from flashsale.config import Settings
from flashsale.errors import ConfigError
from flashsale.redis_store.sold_out import MOST, SoldOut

STORES = {"REDIS_URL": "redis://r:6379/0", "DATABASE_URL": "postgresql://u@db/x"}


class Clocks:
    def __init__(self):
        self.monotonic = self.wall = 1000.0

    def __call__(self):
        return self.monotonic, self.wall


@pytest.fixture
def clocks():
    return Clocks()


def test_it_holds_for_that_time(clocks):
    sold_out = SoldOut(500, clocks)
    sold_out.remember("p", 5)

    clocks.monotonic = clocks.wall = 1000.499
    assert sold_out.has("p", 5)
    clocks.monotonic = clocks.wall = 1000.5
    assert not sold_out.has("p", 5)


@pytest.mark.parametrize("running", ["monotonic", "wall"])
def test_one_clock_may_stand_still_as_in_a_frozen_function(clocks, running):
    sold_out = SoldOut(200, clocks)
    sold_out.remember("p", 5)

    setattr(clocks, running, 1060.0)

    assert not sold_out.has("p", 5)


def test_a_wall_clock_that_is_set_back_does_not_extend_it(clocks):
    sold_out = SoldOut(200, clocks)
    sold_out.remember("p", 5)

    clocks.monotonic, clocks.wall = 1000.3, 1.0

    assert not sold_out.has("p", 5)


def test_it_holds_for_one_product_and_one_generation(clocks):
    sold_out = SoldOut(200, clocks)
    sold_out.remember("p", 4)

    asked = [("p", 4), ("p", 5), ("q", 4)]
    assert [sold_out.has(*one) for one in asked] == [True, False, False]


def test_zero_never_answers(clocks):
    sold_out = SoldOut(0, clocks)
    sold_out.remember("p", 5)

    assert not sold_out.has("p", 5)


def test_it_keeps_a_bounded_number_of_products(clocks):
    sold_out = SoldOut(200, clocks)

    for number in range(3 * MOST):
        sold_out.remember(f"p-{number}", 5)

    kept = sum(sold_out.has(f"p-{number}", 5) for number in range(3 * MOST))
    assert 1 <= kept <= MOST
    assert sold_out.has(f"p-{3 * MOST - 1}", 5)


def test_the_time_is_a_setting():
    assert Settings.from_mapping(STORES).sold_out_for == 200
    assert Settings.from_mapping({**STORES, "SOLD_OUT_FOR": "0"}).sold_out_for == 0


@pytest.mark.parametrize("value", ["-1", "0.2", "", "soon"])
def test_another_value_is_rejected(value):
    with pytest.raises(ConfigError, match=r"SOLD_OUT_FOR is .* a whole number from 0"):
        Settings.from_mapping({**STORES, "SOLD_OUT_FOR": value})
