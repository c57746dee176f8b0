"""The table of the kills: what a web worker that is killed costs each generation."""

from collections.abc import Callable

from loadtest.bench.cells import Row, Table, cell
from loadtest.bench.results import GENERATIONS, About, Kill, Kills


def kills_table(kills: Kills, about: About) -> Table:
    """Make the table of the kills, which may come from another run."""
    measured = "" if kills.command == about.command else f" {_origin(kills)}"
    return Table(
        f"A web worker is killed between two steps of a purchase, {kills.times} times",
        [
            _of_kills(kills, "under way when the worker is killed", lambda one: one.under_way),
            _of_kills(kills, "confirmed in the end", lambda one: one.confirmed),
            lost_row(kills),
        ],
        f"{_sentence(kills)}{measured}",
    )


def lost_row(kills: Kills) -> Row:
    """Make the row that the first table has, too."""
    return _of_kills(kills, "units lost per kill of a web worker", lambda one: one.lost)


def _of_kills(kills: Kills, name: str, figure: Callable[[Kill], float]) -> Row:
    return Row(name, [cell([figure(k) for k in kills.of(g)]) for g in GENERATIONS])


def _sentence(kills: Kills) -> str:
    """Say what a kill costs: the median, and min – max where the kills differ."""
    losers: dict[str, list[str]] = {}
    for g in GENERATIONS:
        losers.setdefault(cell([one.lost for one in kills.of(g)]), []).append(f"V{g}")
    told = "; ".join(f"{lost} by {', '.join(names)}" for lost, names in losers.items())
    return (
        f"Units lost per kill, in {kills.times} kills: {told}. V1, V3 and V4 are killed after they "
        "took the unit and before they wrote or pushed the order, V2 before its transaction is "
        "committed, and V5 after its claim and before the answer."
    )


def _origin(kills: Kills) -> str:
    return f'Measured on {kills.date} with "{kills.command}", commit {kills.commit}.'
