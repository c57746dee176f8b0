"""The line of a claim is the one that Powertools would write."""

import json
from datetime import UTC, datetime

import pytest
from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit

from flashsale.http import emf
from flashsale.http.observe import Observation


def of_powertools(seen, capsys):
    """Return the line of a claim, made by the library."""
    metrics, outcome = Metrics(), seen.outcome or "failed"
    metrics.add_dimension(name="generation", value=f"v{seen.generation}")
    metrics.add_dimension(name="outcome", value=outcome)
    metrics.add_dimensions(service=metrics.service, outcome=outcome)
    metrics.add_dimensions(service=metrics.service)
    metrics.add_metric(name="Claims", unit=MetricUnit.Count, value=1)
    metrics.add_metric(name="Failed", unit=MetricUnit.Count, value=int(seen.status >= 500))
    metrics.add_metric(
        name="Latency", unit=MetricUnit.Milliseconds, value=round(seen.seconds * 1000, 1)
    )
    fields = {
        "level": "ERROR" if seen.status >= 500 else "INFO",
        "message": f"{seen.method} {seen.path}",
        "correlation_id": seen.correlation_id,
        "status": seen.status,
        "order_id": seen.order_id,
        "error": seen.error,
        "timestamp": datetime.fromtimestamp(seen.began, UTC).isoformat(timespec="milliseconds"),
    }
    for name, value in fields.items():
        if value is not None:
            metrics.add_metadata(name, value)
    metrics.flush_metrics()
    return capsys.readouterr().out


def claim(status=202, outcome="accepted", order_id="o-1", error=None):
    path = "/api/v5/buy"
    return Observation(
        "POST", path, path, status, 0.0123, "c-1", 5, outcome, order_id, error, 1_700_000_000.25
    )


@pytest.mark.parametrize(
    "seen",
    [
        claim(),
        claim(409, "sold_out", None),
        claim(503, None, "o-1", 'StockUnavailable: "Zeitüberschreitung"\n'),
    ],
    ids=["accepted", "sold out", "failed"],
)
def test_a_claims_line_is_that_of_powertools(seen, capsys, monkeypatch):
    monkeypatch.setattr(emf.time, "time", lambda: 1_700_000_001.5)
    emf.emit(seen)
    line = capsys.readouterr().out
    library = of_powertools(seen, capsys)

    ours, theirs = json.loads(line), json.loads(library)
    assert ours["_aws"].pop("Timestamp") == 1_700_000_001_500
    assert theirs["_aws"].pop("Timestamp") > 1_700_000_001_500
    assert list(ours.items()) == list(theirs.items())
    assert len(line) == len(library)
