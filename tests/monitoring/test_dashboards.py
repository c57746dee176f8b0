"""Every query of every dashboard, as Grafana sends it, on a Prometheus that scrapes a sale."""

import json
import re

import pytest

from flashsale_desk.dashboards.grafana import FOLDER
from tests.helpers.support import eventually

FILES = sorted(FOLDER.glob("*.json"))
BOARDS = {file.stem: json.loads(file.read_text()) for file in FILES}
PANELS = [
    (name, panel)
    for name, board in BOARDS.items()
    for panel in board["panels"]
    if panel["type"] != "row"  # a headline
]
QUERIES = [
    pytest.param(name, target["expr"], id=f"{name}: {panel['title']} {target['refId']}")
    for name, panel in PANELS
    for target in panel["targets"]
]
VARIABLES = [
    (name, variable["name"])
    for name, board in BOARDS.items()
    for variable in board["templating"]["list"]
]
# Values that Grafana inserts for its built-in variables.
BUILT_IN = {"__rate_interval": "1m"}
# Units by the suffix of a metric that is shown unchanged. See `units_of`.
SUFFIXES = {
    "_seconds(:p95_5m)?": "s", "_bytes": "bytes", ":ratio5m": "percentunit",
    "_healthy": "bool_yes_no", "up": "bool_on_off",
}  # fmt: skip


def variables(name):
    return {variable["name"]: variable for variable in BOARDS[name]["templating"]["list"]}


def units_of(query):
    """Return the units that fit a query."""
    name = re.search(r"[\w:]*(flashsale|process)_[\w:]+|\bup\b", query)[0]
    if "histogram_quantile" in query:
        return {"s"}
    if re.search(r"\b(rate|deriv)\(", query):  # seconds in a second are a ratio
        return {"percentunit"} if name.endswith("_seconds_total") else {"ops", "reqps"}
    if query.startswith("count("):
        return {"short"}
    found = {unit for suffix, unit in SUFFIXES.items() if re.search(f"{suffix}$", name)}
    return found or {"short"}


def test_dashboards_show_the_sale_the_edge_the_pipeline_and_the_stores():
    assert set(BOARDS) == {f"flashsale-{name}" for name in ("sale", "http", "pipeline", "stores")}


@pytest.mark.parametrize(("name", "query"), QUERIES)
def test_every_query_returns_values(watched, name, query):
    known = BUILT_IN | {key: variable["allValue"] for key, variable in variables(name).items()}
    used = re.findall(r"\$\{?(\w+)", query)
    assert set(used) <= set(known), "a variable is not defined"
    for variable in used:
        query = query.replace(f"${variable}", known[variable])

    assert eventually(lambda: watched.numbers(query))


@pytest.mark.parametrize(("name", "variable"), VARIABLES)
def test_a_variable_has_values_and_is_used(watched, name, variable):
    query = variables(name)[variable]["query"]["query"]
    metric, label = re.fullmatch(r"label_values\((\w+), (\w+)\)", query).groups()

    assert eventually(lambda: watched.get(f"label/{label}/values", **{"match[]": metric}))
    asked = [query for board, panel in PANELS if board == name for query in panel["targets"]]
    assert any(f"${variable}" in one["expr"] for one in asked)


@pytest.mark.parametrize(
    ("name", "panel"), PANELS, ids=[f"{name}: {panel['title']}" for name, panel in PANELS]
)
def test_a_panel_has_a_unit_and_a_legend_for_each_line(name, panel):
    for target in panel["targets"]:
        assert panel["fieldConfig"]["defaults"]["unit"] in units_of(target["expr"])
    if panel["type"] == "timeseries":
        assert all(target["legendFormat"] for target in panel["targets"])


def test_each_column_of_a_table_has_a_name_and_one_row_a_product(watched):
    tables = [(name, panel) for name, panel in PANELS if panel["type"] == "table"]
    assert tables
    for _, panel in tables:
        names = panel["transformations"][-1]["options"]["renameByName"]
        assert sorted(names) == [f"Value #{target['refId']}" for target in panel["targets"]]
        for target in panel["targets"]:
            query = target["expr"].replace("$product", ".*")
            (row,) = eventually(lambda query=query: watched.get("query", query=query)["result"])
            assert row["metric"] == {"product": "watched-room"}


def test_panels_do_not_overlap():
    for board in BOARDS.values():
        cells = [
            (x, y)
            for grid in (panel["gridPos"] for panel in board["panels"])
            for x in range(grid["x"], grid["x"] + grid["w"])
            for y in range(grid["y"], grid["y"] + grid["h"])
        ]
        assert len(cells) == len(set(cells)), board["title"]
        assert max(x for x, _ in cells) < 24
