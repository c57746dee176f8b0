"""What a demo found, and whether it is as the designs lead to expect."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flashsale_local.sale.answers import AnswerKind
from flashsale_local.sale.demo import Sale, findings
from flashsale_local.sale.roomed import RoomedSale
from flashsale_local.sale.trouble import Outcome
from flashsale_local.sale.troubles import Troubles
from flashsale_local.sale.unpaid import HeldSale


@dataclass(frozen=True)
class Demonstration:
    """The results of one demo.

    Attributes:
        sales: one for each generation, and for V5 at both edges.
        held: the sale with a payment hold.
        roomed: the sale behind a waiting room.
        troubles: None if the servers do not belong to the local stack, and so must stay up.

    """

    sales: Sequence[Sale]
    held: HeldSale
    roomed: RoomedSale
    troubles: Troubles | None

    @property
    def findings(self) -> list[str]:
        """What is not as expected, one line each; none after a good demo."""
        of_troubles = self.troubles.findings if self.troubles else []
        of_more = [*self.held.findings, *self.roomed.findings]
        return [*findings(self.sales), *of_more, *of_troubles]

    def figures(self) -> dict[str, Any]:
        """Return the results as a JSON object; `troubles` is None if none were made."""
        made = self.troubles
        return {
            "sales": [_sale(sale) for sale in self.sales],
            "held": self.held.figures(),
            "roomed": self.roomed.figures(),
            "troubles": made
            and {
                "outage_seconds": made.outage_seconds,
                "outage": [_outcome(outcome) for outcome in made.outage],
                "killed": [_outcome(outcome) for outcome in made.killed],
            },
            "findings": self.findings,
        }


def _sale(sale: Sale) -> dict[str, Any]:
    return {
        "generation": sale.generation,
        "edge": sale.edge,
        "attempts": len(sale.answers),
        "outcomes": {kind.name.lower(): sale.count(kind) for kind in AnswerKind},
        "latency_ms": {f"p{percent}": sale.latency_ms(percent) for percent in (50, 95)},
        "accepted_per_second": sale.count(AnswerKind.ACCEPTED) / sale.selling,
        "settled_after_seconds": sale.settling,
        "books": sale.books.figures(),
    }


def _outcome(outcome: Outcome) -> dict[str, Any]:
    return {
        "generation": outcome.generation,
        "attempts": outcome.attempts,
        "accepted": outcome.accepted,
        "confirmed": outcome.confirmed,
        "lost": outcome.lost,
        "books": outcome.books.figures(),
    }
