"""What a demo found, and whether it is as the designs lead to expect."""

from collections.abc import Sequence
from dataclasses import dataclass

from flashsale_local.sale.demo import Sale, findings
from flashsale_local.sale.troubles import Troubles


@dataclass(frozen=True)
class Demonstration:
    """The results of one demo.

    Attributes:
        sales: one for each generation, and for V5 at both edges.
        troubles: None if the servers do not belong to the local stack, and so must stay up.

    """

    sales: Sequence[Sale]
    troubles: Troubles | None

    @property
    def findings(self) -> list[str]:
        """What is not as expected, one line each; none after a good demo."""
        return [*findings(self.sales), *(self.troubles.findings if self.troubles else [])]
