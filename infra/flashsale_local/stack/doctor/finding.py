"""What a check has found."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad a finding is."""

    OK = "ok"
    WARNING = "warning"
    """It disturbs, and `flashsale up` works nevertheless."""
    PROBLEM = "problem"
    """It prevents `flashsale up`."""


@dataclass(frozen=True)
class Finding:
    """One line of the report.

    Attributes:
        check: what was checked, in one word or two.
        way_out: what to do about it; "" where all is well.

    """

    level: Level
    check: str
    text: str
    way_out: str = ""


def ok(check: str, text: str) -> Finding:
    """Return a finding that all is well."""
    return Finding(Level.OK, check, text)


def warning(check: str, text: str, way_out: str) -> Finding:
    """Return a finding that does not prevent `flashsale up`."""
    return Finding(Level.WARNING, check, text, way_out)


def problem(check: str, text: str, way_out: str) -> Finding:
    """Return a finding that prevents `flashsale up`."""
    return Finding(Level.PROBLEM, check, text, way_out)
