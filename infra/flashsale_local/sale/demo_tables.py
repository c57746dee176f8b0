"""The demo's results as tables, with the reason for each figure that is not as it should be."""

from collections.abc import Callable, Iterator, Sequence
from operator import attrgetter

from rich.table import Table

from flashsale.domain.payments import Decision
from flashsale_local.console import alarming, number, table, units
from flashsale_local.deployment.deploy import LOCAL_BUY_CONCURRENCY
from flashsale_local.sale.answers import AnswerKind
from flashsale_local.sale.demo import ATTEMPTS, CONNECTIONS, UNITS, Sale
from flashsale_local.sale.roomed import INSIDE, PEOPLE, PUSHERS, RoomedSale
from flashsale_local.sale.roomed import UNITS as BEHIND_ROOM
from flashsale_local.sale.troubles import Troubles
from flashsale_local.sale.unpaid import FIRST, HOLD, SECOND, THIRD, HeldSale


def sales_table(sales: Sequence[Sale]) -> Table:
    """Return the table of the sales, a column each."""
    made = table(
        f"{UNITS} units, {ATTEMPTS} buyers, {CONNECTIONS} at a time",
        "",
        *(sale.name for sale in sales),
    )

    def row(name: str, figure: Callable[[Sale], str]) -> None:
        made.add_row(name, *(figure(sale) for sale in sales))

    row("accepted", lambda sale: number(sale.count(AnswerKind.ACCEPTED)))
    row("sold out", lambda sale: number(sale.count(AnswerKind.SOLD_OUT)))
    row("errors", lambda sale: alarming(len(sale.errors)))
    row("confirmed orders", lambda sale: number(sale.books.confirmed))
    row("stock left in Redis", lambda sale: units(sale.books.redis_stock))
    row("stock left in PostgreSQL", lambda sale: number(sale.books.postgres_stock))
    row("oversold", lambda sale: alarming(sale.books.oversold))
    row("lost", lambda sale: alarming(sale.books.lost))
    row("latency p50, ms", lambda sale: f"{sale.latency_ms(50):,.0f}")
    row("latency p95, ms", lambda sale: f"{sale.latency_ms(95):,.0f}")
    row(
        "accepted per second",
        lambda sale: f"{sale.count(AnswerKind.ACCEPTED) / sale.selling:,.0f}",
    )
    row("last order confirmed after, s", lambda sale: f"{sale.settling:.1f}")
    return made


def reasons_of_sales(sales: Sequence[Sale]) -> Iterator[str]:
    """Yield what the table of the sales does not explain itself, a paragraph each."""
    throttled = sum(answer.throttled for sale in sales for answer in sale.answers)
    yield (
        f"{throttled} attempts found all {LOCAL_BUY_CONCURRENCY} execution environments busy (429) "
        "and retried. Their latency includes that."
    )
    naive = sales[0].books
    yield (
        "V1 reads the stock, checks it and writes it back. Between the read and the write others "
        f"bought the same unit, so it sold {naive.confirmed} of {naive.initial}."
    )


def held_table(held: HeldSale) -> Table:
    """Return the table of the sale with a payment hold."""
    made = table(f"{UNITS} units of V5, with {HOLD} s to pay", "", "orders")
    for name, figure in (
        (f"accepted, of {FIRST} buyers", number(held.first)),
        (f"sold out while holds ran, of {SECOND}", number(held.sold_out)),
        ("not paid in time, so on sale again", number(held.back)),
        (f"bought then, of {THIRD} buyers", number(held.third)),
        ("confirmed orders, all paid", number(held.books.confirmed)),
        (f"paid too late, now {held.late}", number(1)),
        ("oversold", alarming(held.books.oversold)),
        ("lost", alarming(held.books.lost)),
    ):
        made.add_row(name, figure)
    return made


def reasons_of_hold(held: HeldSale) -> Iterator[str]:
    """Yield what became of the unpaid orders; nothing if that is not as expected."""
    if held.findings:
        return
    refunded = (
        "was refunded"
        if held.late is Decision.REFUNDED
        # Only a provider can move money.
        else "is to be refunded (flashsale payments --due): no provider runs here"
    )
    yield (
        f"{held.back} buyers did not pay. Their units were held for {HOLD} s, came back once, and "
        "were sold again. One of them paid after that. A late payment never revives an order, so "
        f"it {refunded}."
    )


def roomed_table(roomed: RoomedSale) -> Table:
    """Return the table of the sale behind a waiting room."""
    door = roomed.door
    title = f"{BEHIND_ROOM} units of V5 behind a waiting room that lets {INSIDE} in at once"
    made = table(title, "", "buyers")
    for name, figure in (
        (f"kept out without an admission, of {PUSHERS}", number(door.kept_out)),
        (f"called and never came, of {PEOPLE}", number(door.never_came)),
        ("admitted", number(door.admitted)),
        ("  bought", number(door.bought)),
        ("  found nothing left", number(door.found_nothing)),
        ("still waited when all was sold", number(roomed.still_waited)),
        ("most inside at once", number(roomed.most_inside)),
        ("oversold", alarming(roomed.books.oversold)),
        ("lost", alarming(roomed.books.lost)),
    ):
        made.add_row(name, figure)
    return made


def reasons_of_room(roomed: RoomedSale) -> Iterator[str]:
    """Yield who was called first, and why; nothing if that is not as expected."""
    if roomed.findings:
        return
    yield (
        f"Who came first did not count: {PEOPLE} users joined before the opening, and a seed drew "
        "their places. Its hash was published before. Each user computed their own place from it, "
        "and no two got the same."
    )


def troubles_table(troubles: Troubles) -> Table:
    """Return the table of both troubles, a column for each generation."""
    buyers = troubles.outage[0].attempts
    made = table(
        f"PostgreSQL is down for {troubles.outage_seconds:.1f} s, and a process is killed",
        "",
        *(f"V{outcome.generation}" for outcome in troubles.outage),
    )
    for name, outcomes, figure, show in (
        (f"accepted in the outage, of {buyers}", troubles.outage, "accepted", number),
        ("confirmed when PostgreSQL is back", troubles.outage, "confirmed", number),
        ("lost in the outage", troubles.outage, "lost", alarming),
        ("lost by a kill after the unit is taken", troubles.killed, "lost", alarming),
    ):
        made.add_row(name, *(show(attrgetter(figure)(outcome)) for outcome in outcomes))
    return made


def reasons_of_troubles(troubles: Troubles) -> Iterator[str]:
    """Yield why the generations differ, a paragraph each; nothing if that is not as expected."""
    if troubles.findings:
        return
    lost = next(outcome.lost for outcome in troubles.outage if outcome.generation == 3)
    yield (
        f"V3 took {lost} units in Redis, and then could not write their orders to PostgreSQL. "
        "Nothing gives these units back. V4 and V5 answered 202, and their orders were written "
        "when PostgreSQL was back."
    )
    yield (
        "The process was killed right after it took a unit. V1 and V3 had not written the order "
        "yet, and V4 had not pushed it, so no store knows of it. PostgreSQL rolled V2 back. In V5 "
        "the step that takes the unit also records the claim, and its order was confirmed."
    )
