"""Amounts in the minor units of a currency, as the payment provider counts them."""

from decimal import Decimal

# Their amounts have no minor units.
ZERO_DECIMAL = frozenset(
    ["BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF",
     "XOF", "XPF"]
)  # fmt: skip
THREE_DECIMAL = frozenset(["BHD", "JOD", "KWD", "OMR", "TND"])
# The provider keeps two decimals for them, and takes whole amounts only.
WHOLE_ONLY = frozenset(["ISK", "UGX"])


def from_minor(units: int, currency: str) -> Decimal:
    """Return the amount of so many minor units, such as 7.50 for 750 of EUR.

    Args:
        currency: three capital letters (ISO 4217).

    """
    return Decimal(units).scaleb(-_places(currency))


def to_minor(amount: Decimal, currency: str) -> int:
    """Return an amount in minor units, such as 750 for 7.50 EUR and 750 for 750 JPY.

    Raises:
        ValueError: the provider cannot take this amount. The text says why.

    """
    units = amount.scaleb(_places(currency))
    if units != units.to_integral_value() or (currency in WHOLE_ONLY and amount % 1):
        raise ValueError(f"{amount} {currency} has a part of a minor unit")
    return int(units)


def check_price(price: Decimal, currency: str) -> None:
    """Raise ValueError for a price that no order could be paid at. The text says why."""
    if currency in THREE_DECIMAL:
        raise ValueError(f"{currency} has three decimals, and prices have two")
    to_minor(price, currency)


def _places(currency: str) -> int:
    if currency in ZERO_DECIMAL:
        return 0
    return 3 if currency in THREE_DECIMAL else 2
