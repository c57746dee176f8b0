"""The table that `make bench` prints at its end, in narrow and wide terminals and in a pipe."""

import io
import os
import re
import subprocess
import sys

import pytest
from rich.console import Console

from flashsale_local.paths import ROOT
from loadtest.bench.results import Results
from loadtest.bench.table import tables
from loadtest.bench.terminal import summary

# The report that is in the repository: the longest figures are real.
RESULTS = ROOT / "docs" / "report" / "results.json"
WIDTHS = (80, 120, 200)


@pytest.fixture(scope="module")
def results():
    return Results.load(RESULTS)


def numbers(text):
    """Return the numbers of a text, and their signs."""
    return re.findall(r"-?\d[\d,.]*", text)


@pytest.mark.parametrize("width", WIDTHS)
def test_the_table_fits_and_shortens_no_number(results, width):
    screen = io.StringIO()
    Console(file=screen, width=width).print(summary(results), crop=False)

    text = screen.getvalue()
    assert max(len(line.rstrip()) for line in text.splitlines()) <= width
    assert "…" not in text
    wanted = [n for row in tables(results)[0].rows for c in row.cells for n in numbers(c)]
    found = numbers(text)
    assert {number for number in wanted if wanted.count(number) > found.count(number)} == set()


def test_report_prints_the_table_into_a_pipe(results, tmp_path):
    results.save(tmp_path / "results.json")
    variables = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES")}

    done = subprocess.run(
        [sys.executable, "-m", "loadtest.bench", "report"],
        cwd=ROOT, env={**variables, "REPORT": str(tmp_path)}, capture_output=True, text=True,
        check=True,
    )  # fmt: skip

    table, _, rest = done.stdout.partition("The report: ")
    assert max(map(len, table.splitlines())) <= 80
    assert re.search(r"heals by itself .*units lost per", table, re.DOTALL)
    assert rest.startswith(f"{tmp_path / 'report.html'} ")
    assert "invariant" not in rest


def test_an_unknown_word_is_named(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "loadtest.bench", "reprot"], cwd=ROOT, capture_output=True,
        text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 2
    assert "'reprot'" in done.stderr
    assert "'report'" in done.stderr
