"""What the demo's two troubles share: their products, their buyers, and their results."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flashsale.domain.model import Terms
from flashsale.services import Services
from flashsale.usecases.books import Books
from flashsale_local.clouds.endpoint import Endpoint
from flashsale_local.problems import Problem
from flashsale_local.sale.answers import AnswerKind
from flashsale_local.sale.load import Answer, buy_all
from flashsale_local.sale.seed import seed, user_ids

GENERATIONS = (1, 2, 3, 4, 5)
UNITS = 20
# Buyers of one unit each: one before the trouble, and after it one of V5 (see `kill`).
BEFORE, AFTER = user_ids(2)


@dataclass(frozen=True)
class Outcome:
    """What became of one generation's purchases in a trouble.

    Attributes:
        attempts: purchases that were under way in the trouble.
        accepted: how many of them were answered with 201 or 202.
        others: purchases that were accepted before or after the trouble.
        books: after the trouble, when each accepted order was written.

    """

    generation: int
    attempts: int
    accepted: int
    others: int
    books: Books

    @property
    def confirmed(self) -> int:
        """Purchases of the trouble whose order is confirmed."""
        return self.books.confirmed - self.others

    @property
    def lost(self) -> int:
        """Units that the trouble lost."""
        return self.books.lost


@dataclass(frozen=True)
class Expectation:
    """The outcome that a generation's design leads to, for each trouble."""

    accepted: int
    confirmed: int
    lost: int


def differences(
    trouble: str, outcomes: Sequence[Outcome], expected: Mapping[int, Expectation]
) -> list[str]:
    """Return what is not as expected, one line each."""
    found = []
    for outcome in outcomes:
        wanted = expected[outcome.generation]
        for figure in ("accepted", "confirmed", "lost"):
            is_, should = getattr(outcome, figure), getattr(wanted, figure)
            if is_ != should:
                found.append(
                    f"V{outcome.generation}, {trouble}: {figure} is {is_} of {outcome.attempts}, "
                    f"and should be {should}."
                )
        if outcome.books.oversold:
            found.append(f"V{outcome.generation}, {trouble}: {outcome.books.oversold} oversold.")
    return found


async def open_sales(services: Services, run: str, trouble: str) -> dict[int, str]:
    """Put a product of each generation on sale; return the products by generation."""
    products = {generation: f"demo-{run}-v{generation}-{trouble}" for generation in GENERATIONS}
    await seed(services, user_ids(UNITS), list(products.values()), UNITS)
    for generation, product_id in products.items():
        await services.stock.open_sale(product_id, UNITS, Terms(generation=generation))
    return products


async def buy(
    endpoint: Endpoint, products: Mapping[int, str], users: Sequence[str]
) -> dict[int, list[Answer]]:
    """Let each user buy one unit of each product, all at once; return the answers."""
    answers = await asyncio.gather(
        *(
            buy_all(endpoint, generation, product_id, users, len(users), lambda _: None)
            for generation, product_id in products.items()
        )
    )
    return dict(zip(products, answers, strict=True))


async def buy_one_each(endpoint: Endpoint, products: Mapping[int, str], user: str) -> None:
    """Let one user buy one unit of each product.

    Raises:
        Problem: a purchase was not accepted.

    """
    for generation, (answer,) in (await buy(endpoint, products, [user])).items():
        if answer.kind is not AnswerKind.ACCEPTED:
            raise Problem(
                f"V{generation} did not sell a unit without any trouble: {answer.detail}",
                "See `flashsale status` and the logs in .local/logs.",
            )


def accepted(answers: Sequence[Answer]) -> int:
    """Return how many purchases were accepted."""
    return sum(answer.kind is AnswerKind.ACCEPTED for answer in answers)
