"""`flashsale open --room` and `flashsale room`, on real stores."""

import json

import pytest

from tests.helpers.admin_desk import audit_of
from tests.helpers.support import USERS
from tests.integration.roomed_sale import SECRET

SECRETS = {"ROOM_SECRET": SECRET}


@pytest.fixture
async def product(new_product):
    return await new_product(10, on_sale=False)


async def test_a_room_is_opened_watched_and_controlled(flashsale, services, product):
    options = ["--starts", "2090-01-01T12:00:00", "--room", "draw_at_opening", "--inside", "9"]
    options += ["--rate", "90", "--admission", "60", "--room-from", "2026-11-29T12:00:00"]

    opened = flashsale("open", product, *options, **SECRETS)
    again = flashsale("open", product, *options, **SECRETS)
    other = flashsale("open", product, "--room", "fifo", **SECRETS)
    await services.rooms.join(product, USERS[0])
    shown = flashsale("room", product)
    paused = flashsale("room", product, "pause", "--as", "boss")
    faster = flashsale("room", product, "rate", "300")
    document = json.loads(flashsale("room", product, "--json").stdout)
    resumed = flashsale("room", product, "resume", "--json")

    assert opened.stdout == f"{product}: on sale with 10 units, behind waiting room 1\n"
    assert again.stdout == f"{product}: is on sale already, 10 units left, behind waiting room 1\n"
    assert "is on sale already, on other terms" in other.stdout
    assert shown.stdout.splitlines() == [
        f"{product}: room 1 (draw_at_opening), prequeue",
        "  1 wait, 0 of 1 called",
        "  0 inside, 9 at most",
        "  90 calls a minute, 90 at most; nobody",
    ]
    assert paused.stdout.splitlines()[-1] == "  90 calls a minute, 90 at most; paused"
    assert faster.stdout.splitlines()[-1] == "  90 calls a minute, 300 at most; paused"
    assert document == {
        "product": product, "epoch": 1, "mode": "draw_at_opening", "state": "prequeue",
        "issued": 1, "serving": 0, "waiting": 1, "inside": 0, "max_inside": 9,
        "rate": 90.0, "max_rate": 300.0, "why": "paused",
    }  # fmt: skip
    assert json.loads(resumed.stdout)["why"] == "nobody"
    row = await services.room_rows.get(product)
    assert (row.terms.max_inside, row.terms.admission_seconds) == (9, 60)
    assert row.terms.from_at.hour == 12
    entries = [(e.who, e.action, e.arguments) for e in await audit_of(services, product)]
    assert entries == [
        ("cli ops", "room resume", {}),
        ("cli ops", "room rate", {"maxRate": 300}),
        ("cli boss", "room pause", {}),
    ]


def test_without_a_secret_nothing_is_opened(flashsale, product):
    done = flashsale("open", product, "--room", "fifo", ROOM_SECRET="")

    assert done.stdout == f"{product}: was not put on sale, as a waiting room needs a ROOM_SECRET\n"


async def test_a_product_without_a_room(flashsale, services, new_product):
    product = await new_product(1)

    looked, acted = flashsale("room", product), flashsale("room", product, "pause")

    assert (looked.returncode, acted.returncode) == (1, 1)
    assert looked.stdout == f"{product}: it has no waiting room\n"
    assert acted.stdout == f"{product}: nothing was done: it has no waiting room\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["open", "p-01", "--inside", "5"], "Add --room"),
        (["open", "p-01", "--room", "fifo", "--generation", "4"], "Leave out --room"),
        (["room", "p-01", "rate"], "Only `rate` takes a number"),
        (["room", "p-01", "pause", "5"], "Only `rate` takes a number"),
    ],
    ids=["no-room", "v4", "no-rate", "a-number"],
)
def test_what_makes_no_sense_is_refused(flashsale, arguments, said):
    done = flashsale(*arguments, **SECRETS)

    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr
