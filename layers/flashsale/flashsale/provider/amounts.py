"""Amounts in the minor units of a currency, as the provider counts them."""

from decimal import Decimal

# Their amounts have no minor units.
ZERO_DECIMAL = frozenset(
    ["BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF",
     "XOF", "XPF"]
)  # fmt: skip
THREE_DECIMAL = frozenset(["BHD", "JOD", "KWD", "OMR", "TND"])


def from_minor(units: int, currency: str) -> Decimal:
    """Return the amount of so many minor units, such as 7.50 for 750 of EUR.

    Args:
        currency: three capital letters (ISO 4217).

    """
    return Decimal(units).scaleb(-_places(currency))


def to_minor(amount: Decimal, currency: str) -> int:
    """Return an amount in minor units, such as 750 for 7.50 EUR and 750 for 750 JPY.

    Raises:
        ValueError: the amount is no whole number of minor units.

    """
    units = amount.scaleb(_places(currency))
    if units != units.to_integral_value():
        raise ValueError(f"{amount} {currency} has a part of a minor unit")
    return int(units)


def _places(currency: str) -> int:
    """Return the decimal places of a currency. The provider keeps two for ISK and UGX."""
    if currency in ZERO_DECIMAL:
        return 0
    return 3 if currency in THREE_DECIMAL else 2
