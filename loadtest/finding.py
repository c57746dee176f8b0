"""A figure of the benchmark, with the goal that it is compared with."""

import os
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.table import Table

from flashsale_local.console import console, print_json, show_table, table
from loadtest.machine import machine
from loadtest.samples import spread


@dataclass(frozen=True)
class Finding:
    """One figure.

    Attributes:
        what: its name, with its unit.
        values: one for each round.
        least, most: the goal of the median; None if there is none.

    """

    what: str
    values: Sequence[float]
    least: float | None = None
    most: float | None = None
    digits: int = 2

    @property
    def median(self) -> float:
        """The median of all rounds."""
        return statistics.median(self.values)

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None without a goal."""
        if self.least is not None:
            return self.median >= self.least
        return None if self.most is None else self.median <= self.most

    @property
    def goal(self) -> str:
        """The goal as a table shows it; "" without a goal."""
        if self.least is not None:
            return f"≥ {self.least:g}"
        return "" if self.most is None else f"≤ {self.most:g}"

    def figures(self) -> dict[str, Any]:
        """Return the figure and its goal, for JSON."""
        return {
            "what": self.what,
            "median": self.median,
            "values": list(self.values),
            "goal": self.goal,
            "met": self.met,
        }


def findings_table(title: str, found: Sequence[Finding]) -> Table:
    """Return the table of all figures."""
    made = table(title, "what", "median", "min – max", "goal", "met")
    for one in found:
        met = {True: "yes", False: "[bold red]no[/]", None: ""}[one.met]
        made.add_row(one.what, *spread(one.values, one.digits), one.goal, met)
    return made


def report(title: str, found: Sequence[Finding], *, as_json: bool, **conditions: str) -> None:
    """Print all figures, the machine, and the conditions under which they were measured."""
    if as_json:
        figures = [one.figures() for one in found]
        print_json({"machine": machine(), **conditions, "findings": figures})
        return
    show_table(findings_table(title, found))
    console.print("; ".join((machine(), *conditions.values())))


def load_at_the_end() -> str:
    """Return the load averages of this machine, as a condition of a measurement that ends now."""
    return f"load average {', '.join(f'{one:.2f}' for one in os.getloadavg())} at the end"


def ratios(values: Sequence[float], bases: Sequence[float]) -> list[float]:
    """Divide pair by pair, so that what slows the machine down slows both."""
    return [value / base for value, base in zip(values, bases, strict=True)]
