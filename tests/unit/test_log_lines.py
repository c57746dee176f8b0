"""Lines of `flashsale logs`: short, of warnings only, as JSON, and as they come."""

import json

import pytest

from flashsale_local.logs import follow as following
from flashsale_local.logs.lines import Line

PREFIX = len("21:08:36.747 rollback ")


def line(at=0, function="order", /, **fields):
    return Line(at, function, json.dumps(fields))


def batch(size=500, **more):
    orders = {f"p-01:1795900116738-{n}": f"correlation-{n}" for n in range(size)}
    return line(
        level="INFO", location="record:40", message="orders placed", service="flashsale",
        confirmed=size, cancelled=0, released_units=0, failures={}, orders=orders, **more,
    )  # fmt: skip


def test_a_batch_is_one_short_line_without_ids():
    assert batch().short == "INFO    orders placed  confirmed=500"
    assert PREFIX + len(batch().short) < 80


def test_ids_are_shown_on_request():
    assert "p-01:1795900116738-499" in batch().pretty


def test_failures_of_a_batch_are_counted_with_each_cause_once():
    failures = {f"m-{n}": "PostgreSQL: no answer" for n in range(3)}
    fields = {"failed_orders": {id_: {"p:1-0": "c"} for id_ in failures}}

    short = batch(1, **fields).message.replace('"failures": {}', f'"failures": {failures}')

    shown = Line(0, "order", short.replace("'", '"')).short
    assert shown.endswith("confirmed=1 failed=3: PostgreSQL: no answer")
    assert "m-0" not in shown


def test_a_purchase_fits_into_80_columns():
    bought = line(
        0, "buy", level="INFO", message="POST /api/v5/buy", generation="v5", outcome="sold_out",
        correlation_id="84634bc5-21c1-471a-a889-11de128902a0", status=409, order_id="p-05:1-0",
    )  # fmt: skip

    assert bought.short == "INFO    POST /api/v5/buy  outcome=sold_out status=409"


def test_figures_other_than_those_of_a_batch_are_shown_when_they_are_zero():
    assert line(level="INFO", message="swept", claims=0).short == "INFO    swept  claims=0"


def test_of_a_traceback_the_last_line_is_shown():
    failed = line(level="ERROR", message="failed", exception="Traceback\n  x\nKeyError: 'a'")

    assert failed.short == "ERROR   failed  KeyError: 'a'"


@pytest.mark.parametrize(
    ("message", "alarming"),
    [
        ('{"level": "INFO", "message": "no ERROR at all"}', False),
        ('{"level": "WARNING", "message": "m"}', True),
        ('{"level": "ERROR", "message": "m"}', True),
        ("2026-11-28T21:08:42Z 1 Task timed out after 3.00 seconds", True),
        ("Traceback (most recent call last):", True),
        ("a plain line", False),
    ],
    ids=["info", "warning", "error", "timeout", "traceback", "plain"],
)
def test_warnings_errors_and_timeouts_are_alarming(message, alarming):
    assert Line(0, "order", message).is_alarming is alarming


def test_a_line_as_json_has_stable_names():
    logged = line(1_795_900_000_123, level="INFO", message="m", _aws={}, claims=1)

    assert logged.figures == {
        "timestamp": "2026-11-28T21:06:40.123+00:00", "function": "order", "level": "INFO",
        "message": "m", "fields": {"claims": 1},
    }  # fmt: skip
    plain = Line(0, "buy", "no JSON").figures
    assert (plain["level"], plain["message"], plain["fields"]) == ("", "no JSON", {})


def test_new_lines_are_given_once_also_when_they_come_late(monkeypatch):
    first, late, last = (Line(at, "order", str(at)) for at in (50_000, 49_000, 51_000))
    service = [first]

    def read(_, since):
        return [line for line in service if line.timestamp >= since]

    monkeypatch.setattr(following, "read_logs", read)
    monkeypatch.setattr(following, "PERIOD", 0)

    come = following.follow(["group"], [first], 0)
    assert next(come) == []
    service += [last, late]
    assert next(come) == [late, last]
    assert next(come) == []
