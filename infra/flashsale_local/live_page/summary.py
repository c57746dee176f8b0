"""Explain to a visitor what a spike did, and why."""

from collections.abc import Sequence

from flashsale.usecases.books import Books
from flashsale_local.live_page.shop import Channel
from flashsale_local.sale.answers import CLEAR, AnswerKind
from flashsale_local.sale.load import Answer

METHODS = {
    1: "V1 reads the stock, checks it and writes it back.",
    2: (
        "V2 checks the stock and takes the unit in one PostgreSQL statement, "
        "so its buyers wait for one row lock."
    ),
    3: "V3 takes the unit in Redis first and writes the order to PostgreSQL afterwards.",
    4: "V4 takes the unit in Redis and queues the order, so no buyer waits for PostgreSQL.",
    5: (
        "V5 takes the unit and records the claim in one atomic step. "
        "The order is written from the claim."
    ),
}


def summarize(
    channel: Channel, answers: Sequence[Answer], books: Books, *, postgres_up: bool
) -> str:
    """Return what happened to the buyers and to the units, and why."""
    sold = sum(answer.kind is AnswerKind.ACCEPTED for answer in answers)
    failed = [answer for answer in answers if answer.kind not in CLEAR]
    taken = "held" if books.reserved else "sold"
    counts = f"{channel.name}: {len(answers)} buyers, {books.initial} units, {sold} {taken}"
    counts += f", {len(failed)} got an error, such as {failed[0].detail!r}." if failed else "."
    outcome = _outcome(channel, books, postgres_up=postgres_up)
    return f"{counts} {METHODS[channel.generation]} {outcome}"


def _outcome(channel: Channel, books: Books, *, postgres_up: bool) -> str:
    outcomes = (
        (
            books.oversold > 0,
            (
                "Between the read and the write, other buyers bought the same units: "
                f"{books.oversold} too many were sold."
            ),
        ),
        (
            books.lost > 0,
            (
                f"PostgreSQL did not store the orders of {books.lost} units, and nothing returned "
                "these units to the stock. They are lost."
            ),
        ),
        (
            not postgres_up and channel.queued,
            (
                f"It sells even while PostgreSQL is down. {books.unsettled} units wait for their "
                "orders. Start PostgreSQL and watch."
            ),
        ),
        (not postgres_up, "While PostgreSQL is down, it sells nothing."),
        (books.unsettled > 0, f"{books.unsettled} units still wait for their orders."),
        (
            books.reserved > 0,
            (
                f"{books.reserved} units are held until they are paid. "
                "Pay for some of them, or let them expire."
            ),
        ),
        (channel.generation == 1, "No two buyers collided this time. Try again."),
        (
            channel.generation == 3,
            "Nothing failed in between this time. Stop PostgreSQL and try again.",
        ),
    )
    return next((text for true, text in outcomes if true), "No unit was sold twice or lost.")
