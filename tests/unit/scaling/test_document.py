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
from flashsale_local.problems import Problem

DOCUMENT = (ROOT / "docs" / "scaling.md").read_text()


@pytest.fixture
def run(monkeypatch):
    plain = Console(width=80, highlight=False, color_system=None, force_terminal=False)
    monkeypatch.setattr("flashsale_local.cli.model.console", plain)
    monkeypatch.setattr("flashsale_local.cli.model_room.console", plain)

    def run(*arguments):
        done = CliRunner().invoke(app, ["model", *arguments], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.stdout

    return run


@pytest.mark.parametrize(("option", "part"), [((), "a rate needs"), (("--room",), "inside")])
def test_the_document_has_the_output_of_the_command(run, option, part):
    printed = "\n".join(line.rstrip() for line in run(*option).splitlines())

    assert part in printed
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


def test_the_room_is_simulated_with_the_given_crowd(run):
    crowd = ("--people", "30", "--units", "4", "--no-shows", "0", "--seconds-to-come", "0",
             "--seconds-to-buy", "0", "--per-minute", "60", "--per-minute", "30")  # fmt: skip

    quick, slow = json.loads(run("--room", "--json", *crowd))

    assert (quick["people"], quick["units"], quick["sold"], quick["called"]) == (30, 4, 4, 4)
    assert (quick["sold_out_at"], quick["wait_p50"], quick["wait_p95"]) == (4000, 2000, 4000)
    assert slow["sold_out_at"] == 8000


def test_options_of_the_room_need_the_room():
    for option in (("--people", "5"), ("--per-minute", "5"), ("--leavers", "0")):
        with pytest.raises(Problem, match="waiting room"):
            CliRunner().invoke(app, ["model", *option], catch_exceptions=False)
