"""The benchmark's report, made from known figures."""

import html
import json
import re

import pytest

from loadtest.bench.kills import unexpected
from loadtest.bench.report import write_report
from loadtest.bench.results import (
    GENERATIONS,
    About,
    Edge,
    Fault,
    Kill,
    Kills,
    Latency,
    Results,
    Sale,
    Timeline,
    Watch,
)
from loadtest.bench.table import tables

ABOUT = About(
    commit="abc",
    date="2026-11-23 10:00 UTC",
    machine="a machine",
    versions={"Python": "3.11"},
    command="make bench",
    repeats=3,
    seconds=11,
    visibility_timeout=10,
)


def sale(kind, generation, edge, repeat=0, **more):
    latency = Latency(p50=10, p95=100 + repeat, p99=1000)
    figures = {
        "units": 500, "offered": 4000, "seconds": 10.0, "accepted": 500, "sold_out": 3500,
        "throttled": 0, "refused": 0, "failed": 0, "dropped": 0, "server_errors": 0,
        "database_errors": 0, "answers": latency, "acceptance": latency,
        "confirmation": latency if generation >= 4 else None, "quantiles": [*range(100)],
        "drain": 0.5, "drain_rate": None, "confirmed": 500, "cancelled": 0, "oversold": 0,
        "lost": 0, "imbalance": 0, "broken": False,
        "timeline": Timeline(
            step=5, offered=[300, 500], accepted=[50, 50], failed=[0, 0], p50=[10, None],
            p95=[100, None],
        ),
        "watched": [Watch(seconds=1, stock=400, confirmed=100, queue=7), Watch(seconds=2)],
    }  # fmt: skip
    return Sale(kind=kind, generation=generation, edge=edge, repeat=repeat, **{**figures, **more})


@pytest.fixture
def results():
    made = Results(
        about=ABOUT,
        edges=[
            Edge(name="lambda", floor="a constant", sustained=200, peak=120),
            Edge(name="asgi", floor="an echo", sustained=2000, peak=1000),
        ],
        order=["one", "two"],
    )
    for edge in ("asgi", "lambda"):
        for kind in ("scarce", "abundant"):
            for generation in GENERATIONS:
                for repeat, oversold in enumerate((7, 1234, 99)):
                    wrong = {"oversold": oversold} if (generation, kind) == (1, "scarce") else {}
                    made.sales.append(sale(kind, generation, edge, repeat, **wrong))
    outage = Fault(name="PostgreSQL is down", begin=2, end=4)
    for generation in GENERATIONS:
        made.sales.append(
            sale("outage", generation, "asgi", fault=outage, imbalance=5 * (generation == 3),
                 healed_after=None if generation == 3 else 1.5,
                 accepted_during_fault=700 if generation >= 4 else 3)
        )  # fmt: skip
        if generation >= 4:
            made.sales.append(
                sale("long outage", generation, "asgi", fault=outage, healed_after=20, cancelled=9)
            )
    made.kills = Kills(
        commit="abc",
        date="2026-11-23 10:30 UTC",
        command="make bench",
        outcomes=[
            Kill(
                number=number,
                generation=generation,
                under_way=1,
                confirmed=generation == 5,
                lost=lost,
            )
            for number in range(5)
            for generation, lost, written in [(1, 1, 0), (2, 0, 0), (3, 1, 0), (4, 1, 0), (5, 0, 1)]
        ],
    )
    return made


def cells(results, title, name):
    (table,) = [table for table in tables(results) if title in table.title]
    (row,) = [row for row in table.rows if row.name == name]
    return row.cells


def test_a_cell_is_the_median_with_min_and_max(results):
    oversold = cells(results, "ASGI edge, peak 1000/s: scarce", "oversold, units")

    assert oversold == ["99 (7 – 1,234)", "0", "0", "0", "0"]


def test_a_missing_measurement_is_a_dash(results):
    confirmed = cells(results, "ASGI edge, peak 1000/s: abundant", "claim to CONFIRMED: p95, s")

    assert confirmed == ["–", "–", "–", "0.1 (0.1 – 0.1)", "0.1 (0.1 – 0.1)"]


def test_each_generation_says_what_repairs_it(results):
    assert cells(results, "PostgreSQL is stopped", "heals by itself") == [
        "sells again after 1.5 s",
        "sells again after 1.5 s",
        "no: +5 units",
        "yes, all written after 1.5 s",
        "yes, all written after 1.5 s",
    ]
    away = cells(results, "dead-letter queue", "cancelled, their units given back")
    assert away == ["–", "–", "–", "9", "9"]


def test_the_units_lost_per_kill_are_a_row_and_a_sentence(results):
    killed = [one for one in results.kills.outcomes if one.generation == 4]
    killed[1].lost, killed[2].lost = 3, 2

    (table,) = [table for table in tables(results) if "killed" in table.title]
    assert "5 times" in table.title
    assert table.rows[-1].name == "units lost per kill of a web worker"
    assert table.rows[-1].cells == ["1", "0", "1", "1 (1 – 3)", "0"]
    assert "5 kills: 1 by V1, V3; 0 by V2, V5; 1 (1 – 3) by V4." in table.note
    assert table.rows[-1] in tables(results)[0].rows


def test_kills_of_another_run_name_their_command(results):
    assert "Measured on" not in tables(results)[-1].note

    results.kills.command = "python -m loadtest.bench kills"

    assert (
        'Measured on 2026-11-23 10:30 UTC with "python -m loadtest.bench kills", commit abc.'
        in tables(results)[-1].note
    )


def test_a_kill_that_missed_its_step_is_a_finding(results):
    assert unexpected(results.kills) == []

    results.kills.outcomes[3].lost = 0  # the first kill of V4
    results.kills.outcomes[9].lost = 1  # the second of V5

    assert [line.partition(":")[0] for line in unexpected(results.kills)] == [
        "V4, kill 1",
        "V5, kill 2",
    ]


def test_every_row_has_a_cell_for_each_generation(results):
    for table in tables(results):
        for row in table.rows:
            assert len(row.cells) == len(GENERATIONS), row.name
            assert len(row.original) in (0, len(GENERATIONS)), row.name


def test_the_report_opens_offline_and_is_complete(results, tmp_path):
    write_report(results, tmp_path)

    page = (tmp_path / "report.html").read_text()
    # URLs in SVG are names of namespaces, not links.
    assert not re.search(r"""(src|href)=["'](?!#)""", page)
    assert not re.search(r"@import|url\((?!#)", page)
    assert page.count("<svg") == 6
    beside = "Accepted while PostgreSQL was down: 3 by V1, 3 by V2, 3 by V3, 700 by V4, 700 by V5."
    assert beside in page
    words = html.unescape(page)
    for table in tables(results):
        assert table.title in words
        assert all(row.name in words for row in table.rows)
    text = (tmp_path / "report.md").read_text()
    pictures = re.findall(r"\]\((.+\.svg)\)", text)
    assert sorted(pictures) == sorted(path.name for path in tmp_path.glob("*.svg"))
    assert "~23,486" in text
    assert "99 (7 – 1,234)" in text
    assert beside in text
    assert "5 kills: 1 by V1, V3, V4; 0 by V2, V5." in text


def test_results_are_unchanged_after_saving_and_loading(results, tmp_path):
    path = tmp_path / "results.json"

    results.save(path)

    assert Results.load(path) == results
    assert json.loads(path.read_text())["about"]["commit"] == "abc"
