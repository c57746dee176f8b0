"""Finds the sales that others open, such as `make spike`, so that the page can follow them."""

from collections.abc import Sequence


class Following:
    """Tells which product to switch to.

    Attributes:
        on: whether the page follows. A visitor who chooses a product turns it off.
        opened_here: ids of products that this page opens, some of them in advance. A button of the
            page decides when they are shown.

    """

    def __init__(self) -> None:
        self.on = True
        self.opened_here: set[str] = set()
        self._known: set[str] | None = None

    def newest(self, sales: Sequence[str], products: Sequence[str]) -> str:
        """Return the newest product whose sale was opened since the last call, or "".

        Args:
            sales: ids of all products that were ever on sale, in any order.
            products: ids of products, newest first.

        """
        known, self._known = self._known, set(sales)
        if known is None or not self.on:
            return ""
        fresh = self._known - known - self.opened_here
        return next((product_id for product_id in products if product_id in fresh), "")
