"""The command `flashsale model`, and its figures in docs/scaling.md."""

import json
import math
import re

import pytest
from rich.console import Console
from typer.testing import CliRunner

from flashsale_desk.scaling.costs import LAMBDA_EDGES, Edge, crossover, per_million
from flashsale_desk.scaling.inputs import HERE, load
from flashsale_local.cli import app
from flashsale_local.paths import ROOT

DOCUMENT = (ROOT / "docs" / "scaling.md").read_text()


@pytest.fixture
def run(monkeypatch):
    plain = Console(width=80, highlight=False, color_system=None, force_terminal=False)
    monkeypatch.setattr("flashsale_local.cli.model.console", plain)

    def run(*arguments):
        done = CliRunner().invoke(app, ["model", *arguments], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.stdout

    return run


def test_the_document_has_the_output_of_the_command(run):
    printed = "\n".join(line.rstrip() for line in run().splitlines())

    assert "What a rate needs" in printed
    assert f"\n{printed}\n```" in DOCUMENT


def test_the_document_describes_how_the_crossover_moves():
    rows = re.findall(
        r"^\| `--set (\w+)=([\d.]+)` \|[^|]*\| (\d+) \| (\d+) \|$", DOCUMENT, re.MULTILINE
    )

    assert len(rows) >= 5
    for name, value, api, url in rows:
        inputs = load(overrides={name: float(value)})
        found = [str(round(crossover(inputs, edge))) for edge in LAMBDA_EDGES]
        assert found == [api, url], name


def test_the_document_lists_prices_and_marks_unchecked_ones(shipped):
    for name in type(shipped.prices).__dataclass_fields__:
        ((value, rest),) = re.findall(rf"^\| `{name}` \| ([\d.]+) \|(.*)$", DOCUMENT, re.MULTILINE)
        assert float(value) == shipped.entries[name]["value"], name
        assert ("assumption" in rest) == (name in shipped.assumptions), name


def test_json_output_has_the_same_numbers(run, shipped):
    found = json.loads(run("--json", "--rate", "50", "--rate", "5000"))

    assert [row["rate"] for row in found["needs"]] == [50, 5000]
    assert len(found["costs"]) == 2 * len(Edge)
    first = found["costs"][0]
    assert first["usd_per_million"] == per_million(shipped, Edge.HTTP_API, 50)
    assert math.fsum(first["usd_per_hour"].values()) / 0.18 == pytest.approx(
        first["usd_per_million"]
    )
    assert found["crossover"][Edge.HTTP_API] == crossover(shipped, Edge.HTTP_API)


def test_the_command_takes_files_and_overrides(run, tmp_path):
    other = tmp_path / "prices.toml"
    other.write_text((HERE / "prices.toml").read_text().replace("value = 0.40", "value = 4.0"))

    changed = json.loads(run("--json", "--rate", "10", "--prices", str(other)))
    again = json.loads(run("--json", "--rate", "10", "--set", "sqs_request=4"))

    assert changed == again
    assert changed != json.loads(run("--json", "--rate", "10"))
