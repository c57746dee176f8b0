"""Write the dashboards as JSON for Grafana: `python -m flashsale_desk.dashboards.grafana`."""

import json
from itertools import count
from typing import Any

from flashsale_desk.dashboards.definitions import DASHBOARDS
from flashsale_desk.dashboards.panels import Dashboard, Panel
from flashsale_local.paths import MONITORING

FOLDER = MONITORING / "grafana" / "dashboards"
SOURCE = {"type": "prometheus", "uid": "prometheus"}
COLUMNS = 24
# Columns and rows of Grafana's grid that a panel takes.
SIZES = {"stat": (6, 4), "timeseries": (12, 8), "table": (24, 8), "row": (24, 1)}


def render(dashboard: Dashboard) -> str:
    """Return the JSON of one dashboard; the same definition makes the same JSON."""
    board = {
        "uid": dashboard.uid,
        "title": dashboard.title,
        "tags": ["flashsale"],
        "schemaVersion": 41,
        "refresh": "5s",
        "time": {"from": "now-15m", "to": "now"},
        "templating": {"list": [_variable(*pair) for pair in dashboard.variables.items()]},
        "panels": _placed(dashboard.panels),
    }
    return json.dumps(board, indent=1) + "\n"


def _variable(name: str, query: str) -> dict[str, Any]:
    return {
        "name": name,
        "label": name,
        "type": "query",
        "datasource": SOURCE,
        "query": {"query": query, "refId": name},
        "refresh": 2,  # when the time range changes: sales come and go
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": ["All"], "value": ["$__all"]},
    }


def _placed(panels: tuple[Panel, ...]) -> list[dict[str, Any]]:
    """Return the panels from left to right, in rows of one height."""
    placed, x, y, height = [], 0, 0, 0
    for number, panel in zip(count(1), panels, strict=False):
        wide, high = SIZES[panel.kind]
        if x + wide > COLUMNS or (x and high != height):
            x, y = 0, y + height
        placed.append({**_panel(number, panel), "gridPos": {"x": x, "y": y, "w": wide, "h": high}})
        x, height = x + wide, high
    return placed


def _panel(number: int, panel: Panel) -> dict[str, Any]:
    shown = {"id": number, "title": panel.title, "type": panel.kind}
    if panel.kind == "row":
        return shown | {"collapsed": False, "panels": []}
    steps: list[dict[str, Any]] = [{"color": "green", "value": None}]
    if panel.bad_from is not None:
        steps.append({"color": "red", "value": panel.bad_from})
    shown |= {
        "datasource": SOURCE,
        "fieldConfig": {
            "defaults": {
                "unit": panel.unit,
                "min": 0,
                "thresholds": {"mode": "absolute", "steps": steps},
            },
            "overrides": [],
        },
        "targets": [
            {"refId": chr(ord("A") + index), "datasource": SOURCE, "expr": query}
            | ({"legendFormat": legend} if legend and panel.kind != "table" else {})
            | ({"instant": True, "format": "table"} if panel.kind == "table" else {})
            for index, (legend, query) in enumerate(panel.queries.items())
        ],
    }
    return shown | ({"transformations": _columns(panel)} if panel.kind == "table" else {})


def _columns(panel: Panel) -> list[dict[str, Any]]:
    """Return what makes one table of the results: joined by product, a column for each query."""
    names = {f"Value #{chr(ord('A') + index)}": name for index, name in enumerate(panel.queries)}
    organized = {"excludeByName": {"Time": True}, "renameByName": names}
    return [{"id": "merge", "options": {}}, {"id": "organize", "options": organized}]


def main() -> None:
    """Write all dashboards."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for dashboard in DASHBOARDS:
        (FOLDER / f"{dashboard.uid}.json").write_text(render(dashboard))


if __name__ == "__main__":
    main()
