"""The inputs of the model: three TOML files, in which each value has its source and date.

The `kind` of a value says how far to trust it: `quoted` from a page, `measured` here, a `setting`
of this repository, or an `assumption`, which is not checked.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

from flashsale_desk.scaling.parameters import Limits, Measured, Prices
from flashsale_local.problems import Problem

HERE = Path(__file__).parent
KINDS = ("quoted", "measured", "setting", "assumption")


@dataclass(frozen=True, slots=True)
class Inputs:
    """All inputs; `entries` has them as the files have them, by name."""

    prices: Prices
    limits: Limits
    measured: Measured
    entries: dict[str, dict[str, Any]]

    @property
    def assumptions(self) -> list[str]:
        """The names of the values that are not checked."""
        return [name for name, entry in self.entries.items() if entry["kind"] == "assumption"]


def load(
    prices: Path | None = None,
    measured: Path | None = None,
    limits: Path | None = None,
    overrides: Mapping[str, float] | None = None,
) -> Inputs:
    """Read the files of this folder, and replace what other files or `overrides` name.

    Each value is in the unit that its entry states, also in overrides.

    Raises:
        Problem: a file cannot be read, or names an input that the model does not have.

    """
    left = dict(overrides or {})
    entries: dict[str, dict[str, Any]] = {}
    parts = (
        _part(Prices, "prices", prices, left, entries),
        _part(Limits, "limits", limits, left, entries),
        _part(Measured, "measured", measured, left, entries),
    )
    if left:
        raise Problem(f"The model has no {', '.join(left)}.", f"It has: {', '.join(entries)}.")
    return Inputs(*parts, entries)


Part = TypeVar("Part")


def _part(
    kind: type[Part],
    name: str,
    other: Path | None,
    overrides: dict[str, float],
    entries: dict[str, dict[str, Any]],
) -> Part:
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    found = _read(HERE / f"{name}.toml") | (_read(other) if other else {})
    if unknown := found.keys() - set(names):
        raise Problem(f"{other} has unknown entries: {', '.join(unknown)}.", f"See {HERE}.")
    for field in names:
        if field in overrides:
            found[field] = {**found[field], "value": overrides.pop(field), "source": "--set"}
        entries[field] = found[field]
    return kind(**{field: found[field]["value"] / found[field].get("per", 1) for field in names})


def _read(path: Path) -> dict[str, dict[str, Any]]:
    """Return the entries of a file: its tables, each with at least a value and a kind."""
    way_out = f"Write it like {HERE / 'prices.toml'}."
    try:
        entries = tomllib.loads(path.read_text())
        wrong = [
            name
            for name, entry in entries.items()
            if entry["kind"] not in KINDS or not isinstance(entry["value"], int | float)
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Problem(f"{path}: {error!r}", way_out) from error
    if wrong:
        raise Problem(f"{path}: the value or kind of {', '.join(wrong)} is wrong.", way_out)
    return entries
