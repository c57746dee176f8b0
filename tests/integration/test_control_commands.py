"""`flashsale pause`, `resume`, `end`, `restock`, `cancel` and `audit`, on real stores."""

import json

import pytest

from flashsale_local.stack.program import free_port
from tests.helpers.admin_desk import audit_of, books_of, claim, sell, stock_of
from tests.helpers.support import USERS

NO_SUCH_ORDER = "there is no such order, or it is a V4 order that is still queued"


@pytest.fixture
def down(migrated):
    """Return the environment of a command whose PostgreSQL does not answer."""
    return {"DATABASE_URL": f"postgresql://postgres@127.0.0.1:{free_port()}/postgres"}


async def state_of(services, product_id):
    return (await services.ledger.snapshot(product_id, count_claims=True)).state


async def test_several_sales_are_paused_and_resumed(flashsale, services, new_product):
    one, two = await new_product(1_200), await new_product(5)
    await claim(services, two)

    paused = flashsale("pause", one, two, one, "--reason", "wrong price")
    resumed = flashsale("resume", one, two, "--as", "boss")

    assert paused.stdout.splitlines() == [
        f"{one}: open → paused, 1,200 units left",
        f"{two}: open → paused, 4 units left, 1 on their way",
        f"To undo this: flashsale resume {one} {two}",
    ]
    assert resumed.stdout.splitlines()[0] == f"{one}: paused → open, 1,200 units left"
    assert (paused.returncode, resumed.returncode) == (0, 0)
    after, before = await audit_of(services, one)
    assert (before.who, before.action, before.outcome) == ("cli ops", "pause", "done")
    assert before.arguments == {"reason": "wrong price"}
    assert before.correlation_id
    assert (after.who, after.action, after.outcome) == ("cli boss", "resume", "done")


async def test_a_refusal_is_one_line_and_does_not_stop_the_others(flashsale, new_product):
    fine, never = await new_product(5), await new_product(5, on_sale=False)

    done = flashsale("pause", never, fine)

    assert done.returncode == 1
    assert f"{never}: nothing was done: it is not on sale" in done.stdout
    assert f"{fine}: open → paused" in done.stdout


async def test_all_pauses_each_open_sale(flashsale, services, new_product):
    sales = [await new_product(5) for _ in range(2)]
    ended = await new_product(5)
    await services.stock.pause_sale(ended, "ended")

    done = flashsale("pause", "--all")

    assert done.returncode == 0
    assert [await state_of(services, id_) for id_ in sales] == ["paused", "paused"]
    assert await state_of(services, ended) == "ended"
    assert "No sale is open." in flashsale("pause", "--all").stdout


@pytest.mark.parametrize("arguments", [[], ["--all", "p-01"]], ids=["none", "both"])
def test_pause_names_either_products_or_all(flashsale, arguments):
    done = flashsale("pause", *arguments)

    assert done.returncode == 1
    assert "flashsale pause --all" in done.stderr


async def test_pause_works_without_postgresql_and_the_audit_gets_it(
    flashsale, down, services, new_product
):
    product_id = await new_product(5)

    paused = flashsale("pause", product_id, **down)
    seen = flashsale("audit", "--json", **down)
    listed = json.loads(flashsale("audit", "--json").stdout)["actions"]

    assert paused.returncode == 0
    assert f"{product_id}: open → paused, 5 units left" in paused.stdout
    assert "the record is in Redis" in paused.stdout
    assert await state_of(services, product_id) == "paused"
    (kept,) = [e for e in json.loads(seen.stdout)["actions"] if e["target"] == product_id]
    assert (seen.returncode, kept["outcome"], kept["who"]) == (1, "in Redis", "cli ops")
    (row,) = [entry for entry in listed if entry["target"] == product_id]
    assert (row["outcome"], row["idempotencyKey"]) == ("done", kept["idempotencyKey"])
    assert row["begunAt"] == kept["begunAt"]


@pytest.mark.parametrize("command", ["resume", "end", "restock"])
async def test_the_others_need_postgresql(flashsale, down, services, new_product, command):
    product_id = await new_product(5)
    await services.stock.pause_sale(product_id)
    more = {"restock": ["3"], "end": ["--yes"]}.get(command, [])

    done = flashsale(command, product_id, *more, **down)

    assert done.returncode == 1
    assert f"`{command}` needs PostgreSQL" in done.stderr
    assert "`flashsale pause` works without PostgreSQL" in " ".join(done.stderr.split())
    assert await state_of(services, product_id) == "paused"
    assert await stock_of(services, product_id) == 5


async def test_end_asks_first(flashsale, services, new_product):
    product_id = await new_product(5)

    declined = flashsale("end", product_id, typed="n\n")
    state = await state_of(services, product_id)
    ended = flashsale("end", product_id, typed="y\n")

    assert (declined.returncode, state) == (1, "open")
    assert f"End for good: {product_id}?" in declined.stderr
    assert ended.returncode == 0
    assert ended.stdout.strip() == f"{product_id}: open → ended, 5 units left"
    assert [e.action for e in await audit_of(services, product_id)] == ["end"]
    assert "the sale has ended for good" in flashsale("resume", product_id).stdout


async def test_the_printed_command_repeats_a_restock_without_adding_again(
    flashsale, services, new_product
):
    product_id = await new_product(5)

    first = flashsale("restock", product_id, "10")
    repeated = first.stderr.strip().partition("To repeat this: flashsale ")[2].split()
    second = flashsale(*repeated)

    assert first.stdout == f"{product_id}: open → open, 15 units left; supply 5 → 15\n"
    assert second.stdout == f"{product_id}: open → open, 15 units left; supply 15 → 15\n"
    assert await stock_of(services, product_id) == 15
    (entry,) = await audit_of(services, product_id)
    assert entry.arguments == {"units": 10}


async def test_a_key_of_another_action_is_refused(flashsale, new_product):
    product_id = await new_product(5)
    flashsale("restock", product_id, "10", "--key", f"k-{product_id}")

    done = flashsale("restock", product_id, "11", "--key", f"k-{product_id}")

    assert done.returncode == 1
    assert "this key came with another action before" in done.stdout


async def test_cancel_asks_and_puts_the_unit_on_sale_again(flashsale, services, new_product):
    product_id = await new_product(5)
    (order,) = await sell(services, product_id, USERS[:1])

    declined = flashsale("cancel", order.id, "--reason", "broken", typed="n\n")
    done = flashsale("cancel", order.id, "no-such", "--reason", "broken", "--yes")

    assert declined.returncode == 1
    assert done.stdout.splitlines() == [
        f"{order.id}: CONFIRMED → CANCELLED, 1 of {product_id}",
        f"no-such: nothing was done: {NO_SUCH_ORDER}",
    ]
    assert done.returncode == 1
    assert await stock_of(services, product_id) == 5
    assert [e.who for e in await audit_of(services, order.id)] == ["cli ops"]
    await books_of(services, product_id)


@pytest.mark.parametrize(
    "arguments",
    [
        ["pause", "p-01", "--reason", "two\nlines"],
        ["pause", "p-01", "--as", "a name"],
        ["restock", "p-01", "1", "--key", "a key"],
        ["cancel", "o-1", "--yes", "--reason", ""],
    ],
    ids=["reason", "name", "key", "no-reason"],
)
def test_what_the_audit_could_not_show_is_refused(flashsale, arguments):
    done = flashsale(*arguments)

    assert done.returncode == 1
    assert "Problem" in done.stderr
    assert "Traceback" not in done.stderr


async def test_the_audit_fits_a_narrow_terminal_and_shows_no_markup(flashsale, new_product):
    product_id = await new_product(5)
    flashsale("pause", product_id, "--reason", "[red]50 %[/] \u202e off")

    for columns in ("80", "120"):
        done = flashsale("audit", "--limit", "1", COLUMNS=columns)

        assert done.returncode == 0
        assert product_id in done.stdout
        assert "[red]50" in done.stdout
        assert "\u202e" not in done.stdout
        assert all(len(line) <= int(columns) for line in done.stdout.splitlines())
