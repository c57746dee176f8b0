"""What a spike did and why, in two sentences for a visitor."""

from collections.abc import Sequence

from flashsale.usecases.books import Books
from flashsale_local.live_page.shop import Way
from flashsale_local.sale.answers import AnswerKind
from flashsale_local.sale.load import Answer

HOW = {
    1: "V1 reads the stock, checks it and writes it back",
    2: "V2 checks and takes the unit in one statement of PostgreSQL, where buyers queue for a row",
    3: "V3 takes the unit in Redis first and writes the order to PostgreSQL after it",
    4: "V4 takes the unit in Redis and leaves the order in a queue; nobody waits for PostgreSQL",
    5: "V5 takes the unit and writes the claim down in one step; the order follows from the claim",
}


def tell(way: Way, answers: Sequence[Answer], books: Books, *, postgres_up: bool) -> str:
    """What happened to the buyers and the units, and why."""
    sold = sum(answer.kind is AnswerKind.ACCEPTED for answer in answers)
    failed = sum(answer.kind in (AnswerKind.FAILED, AnswerKind.REFUSED) for answer in answers)
    what = f"{way.name}: {len(answers)} buyers, {books.initial} units, {sold} sold"
    what += f", {failed} got an error." if failed else "."
    return f"{what} {HOW[way.generation]}{_outcome(way, books, postgres_up=postgres_up)}"


def _outcome(way: Way, books: Books, *, postgres_up: bool) -> str:
    dark = not postgres_up
    outcomes = (
        (
            books.oversold > 0,
            (
                ": between the read and the write others bought the same unit, so "
                f"{books.oversold} too many were sold."
            ),
        ),
        (
            books.lost > 0,
            (
                f": PostgreSQL did not take {books.lost} of them, and nobody gave the units back: "
                "not sold, not in stock, lost."
            ),
        ),
        (
            dark and way.queued,
            (
                f": so it sells while PostgreSQL is down. {books.unsettled} units wait for their "
                "orders; start PostgreSQL and watch."
            ),
        ),
        (dark, ": while PostgreSQL is down it sells nothing."),
        (books.unsettled > 0, f": {books.unsettled} units still wait for their orders."),
        (way.generation == 1, ": this time nobody came between. Try again."),
        (
            way.generation == 3,
            ": nothing failed in between this time. Stop PostgreSQL and try again.",
        ),
    )
    return next((text for true, text in outcomes if true), ": no unit sold twice, none lost.")
