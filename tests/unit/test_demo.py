"""What the demo says of its results."""

import io
import json
from dataclasses import replace

import pytest
from rich.console import Console

from flashsale.domain.payments import Decision
from flashsale.usecases.books import Books
from flashsale_local.sale.answers import AnswerKind
from flashsale_local.sale.demo import ATTEMPTS, SHOPS, UNITS, Sale
from flashsale_local.sale.demo_tables import (
    held_table,
    reasons_of_hold,
    reasons_of_room,
    reasons_of_sales,
    reasons_of_troubles,
    roomed_table,
    sales_table,
    troubles_table,
)
from flashsale_local.sale.demonstration import Demonstration
from flashsale_local.sale.kill import EXPECTED as KILLED
from flashsale_local.sale.load import Answer
from flashsale_local.sale.outage import EXPECTED as WITHOUT_POSTGRES
from flashsale_local.sale.roomed import UNITS as BEHIND_ROOM
from flashsale_local.sale.roomed import Door, RoomedSale
from flashsale_local.sale.trouble import Outcome
from flashsale_local.sale.troubles import Troubles
from flashsale_local.sale.unpaid import SECOND, UNPAID, HeldSale

ANSWERS = [
    *[Answer(AnswerKind.ACCEPTED, 0.01)] * UNITS,
    *[Answer(AnswerKind.SOLD_OUT, 0.01)] * (ATTEMPTS - UNITS),
]


def books(generation, *, initial=20, confirmed=1, lost=0):
    left = max(0, initial - confirmed - lost)
    return Books(
        product_id=f"demo-1-v{generation}",
        generations=(generation,),
        initial=initial,
        redis_stock=left if generation > 2 else None,
        postgres_stock=left,
        confirmed=confirmed,
        cancelled=0,
    )


def sale(generation, edge, confirmed=UNITS):
    kept = books(generation, initial=UNITS, confirmed=confirmed)
    return Sale(generation, edge, ANSWERS, kept, 2.0, 2.5)


def outcome(generation, expected):
    others = 1
    kept = books(generation, confirmed=others + expected.confirmed, lost=expected.lost)
    return Outcome(generation, 10, expected.accepted, others, kept)


def held_sale(reserved=0, lost=0):
    confirmed = UNITS - reserved - lost
    kept = books(5, initial=UNITS, confirmed=confirmed, lost=lost + reserved)
    kept = replace(kept, reserved=reserved)
    return HeldSale(UNITS, SECOND, UNPAID, UNPAID, Decision.REFUNDED, "late", kept)


def roomed_sale(**door):
    expected = {"kept_out": 10, "never_came": 6, "admitted": 22, "bought": 20, "found_nothing": 2}
    kept = books(5, initial=BEHIND_ROOM, confirmed=BEHIND_ROOM)
    return RoomedSale(Door(**{**expected, **door}), 5, True, kept)


@pytest.fixture
def good():
    sales = [sale(number, edge, UNITS + 90 * (number == 1)) for number, edge in SHOPS]
    troubles = Troubles(
        killed=[outcome(number, expected) for number, expected in KILLED.items()],
        outage=[outcome(number, expected) for number, expected in WITHOUT_POSTGRES.items()],
        outage_seconds=2.3,
    )
    return Demonstration(sales, held_sale(), roomed_sale(), troubles)


def printed(*what):
    screen = Console(file=io.StringIO(), width=80)
    screen.print(*what)
    return screen.file.getvalue()


def test_a_demo_as_expected_has_no_findings(good):
    assert good.findings == []
    assert good.troubles.gaps == ["demo-1-v4"]


def test_the_results_as_json_have_the_figures_of_the_tables(good):
    document = json.loads(json.dumps(good.figures()))

    assert [sale["generation"] for sale in document["sales"]] == [1, 2, 3, 4, 5, 5]
    assert document["sales"][1]["outcomes"]["accepted"] == UNITS
    assert document["sales"][0]["books"]["oversold"] == 90
    lost = [outcome["lost"] for outcome in document["troubles"]["outage"]]
    assert lost == [WITHOUT_POSTGRES[number].lost for number in (1, 2, 3, 4, 5)]
    assert document["held"]["back"] == document["held"]["third"] == UNPAID
    assert document["held"]["books"]["confirmed"] == UNITS
    assert document["roomed"]["door"]["bought"] == BEHIND_ROOM
    assert (document["held"]["late"], document["held"]["why"]) == ("REFUNDED", "late")
    assert document["findings"] == []
    assert replace(good, troubles=None).figures()["troubles"] is None


def test_a_v1_that_does_not_oversell_is_a_finding(good):
    (found,) = replace(good, sales=[sale(1, "lambda"), *good.sales[1:]]).findings

    assert "V1 did not oversell" in found


@pytest.mark.parametrize("trouble", ["killed", "outage"])
@pytest.mark.parametrize("generation", [1, 2, 3, 4, 5])
def test_a_generation_that_loses_another_number_is_a_finding(good, trouble, generation):
    outcomes = list(getattr(good.troubles, trouble))
    was = outcomes[generation - 1]
    kept = books(generation, confirmed=was.books.confirmed, lost=was.lost + 1)
    outcomes[generation - 1] = replace(was, books=kept)

    troubles = replace(good.troubles, **{trouble: outcomes})

    (found,) = replace(good, troubles=troubles).findings
    assert found.startswith(f"V{generation}, ")
    assert f"lost is {was.lost + 1}" in found
    assert list(reasons_of_troubles(troubles)) == []


def test_an_order_that_an_outage_swallowed_is_a_finding(good):
    outcomes = list(good.troubles.outage)
    outcomes[3] = replace(outcomes[3], others=2)

    found = replace(good, troubles=replace(good.troubles, outage=outcomes)).findings

    assert found == ["V4, without PostgreSQL: confirmed is 9 of 10, and should be 10."]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"first": 99}, "accepted at first is 99, and should be 100."),
        ({"sold_out": 19}, "sold out while holds ran is 19, and should be 20."),
        ({"back": 32}, "back without a payment is 32, and should be 33."),
        ({"third": 34}, "bought after that is 34, and should be 33."),
        ({"why": None}, "the reason of the late payment's refund is None, and should be late."),
    ],
    ids=str,
)
def test_a_hold_that_does_not_end_as_it_should_is_a_finding(good, wrong, said):
    held = replace(good.held, **wrong)

    assert replace(good, held=held).findings == [f"V5 with a hold: {said}"]
    assert list(reasons_of_hold(held)) == []


def test_a_unit_that_stays_held_is_a_finding(good):
    found = replace(good, held=held_sale(reserved=1)).findings

    assert found == [
        "V5 with a hold: confirmed is 99, and should be 100.",
        "V5 with a hold: held is 1, and should be 0.",
    ]


def test_a_unit_that_a_hold_loses_is_a_finding(good):
    found = replace(good, held=held_sale(lost=1)).findings

    assert found[0] == "V5 with a hold: confirmed is 99, and should be 100."
    assert found[1].startswith("V5 with a hold broke its books: ")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (
            {"door": Door(kept_out=9, bought=20)},
            "kept out without an admission is 9, and should be 10.",
        ),
        ({"door": Door(kept_out=10, bought=19)}, "bought is 19, and should be 20."),
        ({"drawn_well": False}, "the draw can be checked is False, and should be True."),
        ({"most_inside": 6}, "6 were inside, of 5."),
    ],
    ids=str,
)
def test_a_room_that_does_not_keep_its_promise_is_a_finding(good, wrong, said):
    roomed = replace(good.roomed, **wrong)

    assert replace(good, roomed=roomed).findings == [f"V5 behind a waiting room: {said}"]
    assert list(reasons_of_room(roomed)) == []


def test_the_tables_fit_80_columns_and_say_why(good):
    made = (
        sales_table(good.sales), held_table(good.held), roomed_table(good.roomed),
        troubles_table(good.troubles),
    )  # fmt: skip
    screen = "".join(map(printed, made))

    assert all(len(line) <= 80 for line in screen.splitlines())
    assert "…" not in screen
    rows = {line.split("│")[1].strip(): line.split("│")[2:-1] for line in screen.splitlines()
            if line.startswith("│")}  # fmt: skip
    assert [cell.strip() for cell in rows["lost in the outage"]] == ["0", "0", "10", "0", "0"]
    kill = rows["lost by a kill after the unit is taken"]
    assert [cell.strip() for cell in kill] == ["1", "0", "1", "1", "0"]
    assert [cell.strip() for cell in rows["not paid in time, so on sale again"]] == ["33"]
    said = " ".join([
        *reasons_of_sales(good.sales), *reasons_of_hold(good.held),
        *reasons_of_room(good.roomed), *reasons_of_troubles(good.troubles),
    ])  # fmt: skip
    assert "it sold 190 of 100" in said
    assert "V3 took 10 units in Redis" in said
    assert "33 buyers did not pay" in said
    assert "no two got the same" in said
    assert [cell.strip() for cell in rows["still waited when all was sold"]] == ["32"]
    assert said.count("so it was refunded.") == 1


def test_a_refund_that_nobody_here_can_make_is_said(good):
    (said,) = reasons_of_hold(replace(good.held, late=Decision.REFUND_DUE))

    assert "it is to be refunded (flashsale payments --due)" in said
    assert "REFUND_DUE" in printed(held_table(replace(good.held, late=Decision.REFUND_DUE)))
