"""The life of one order, read from the log lines of all parts."""

import json

import pytest

from flashsale_local.cli import logs
from flashsale_local.deployment.target import Target
from flashsale_local.logs.lines import Line, read_file
from flashsale_local.logs.order_life import Life

ORDER = "p-1:1795464769699-0"


def batch(**fields):
    return Line(0, "order", json.dumps({"level": "INFO", "message": "orders placed", **fields}))


def test_a_written_order_is_not_reported_as_failed_with_its_message():
    failed = {"m-1": {ORDER: "c", "p-1:1795464769699-1": "c"}}
    line = batch(orders={ORDER: "c"}, failed_orders=failed, failures={"m-1": "no user"})

    (_, event) = Life(ORDER).events([line])[::-1]

    assert event.text == "INFO    orders placed: CONFIRMED"


def test_events_of_one_millisecond_have_the_order_of_a_purchase():
    at = 1795464769699
    relay = "INFO flashsale.usecases.relay: sending 1 claims of p-1 in one call: {0} to {0}"
    lines = [
        Line(at, "order", json.dumps({"level": "INFO", "message": "placed", "order_id": ORDER})),
        Line(at, "relay", relay.format(ORDER.partition(":")[2])),
        Line(at, "buy", json.dumps({"level": "INFO", "message": "POST", "order_id": ORDER})),
    ]

    assert [event.where for event in Life(ORDER).events(lines)] == [
        "buy", "redis", "relay", "order"
    ]  # fmt: skip


RELAYED = "sending 1 claims of p-1 in one call: 1795464769699-0 to 1795464769699-0"
SWEPT = "1 claims of p-1 are overdue: 1795464769699-0"


@pytest.mark.parametrize("text", [RELAYED, SWEPT])
def test_a_path_that_looks_like_a_relay_line_is_no_relay_event(text):
    lines = [
        Line(1, "buy", json.dumps({"level": "INFO", "message": f"GET /{text}", "status": 404})),
        Line(2, "edge", f"ERROR GET /{text}: 503, down (correlation id c)"),
        Line(3, "edge", f"ERROR GET /x {text}"),
    ]

    assert "relay" not in {event.where for event in Life(ORDER).events(lines)}


@pytest.mark.parametrize("lead", ["", "INFO ", "[INFO]\t2026-11-27T08:00:00.000Z\tc0ffee-1\t"])
@pytest.mark.parametrize("text", [RELAYED, SWEPT])
def test_relay_lines_are_found_behind_any_loggers_prefix(lead, text):
    events = Life(ORDER).events([Line(1, "sweep", lead + text)])

    assert "relay" in {event.where for event in events}


def test_a_metric_line_with_a_message_is_text_whatever_its_values_are():
    metric = {"_aws": {}, "Claims": 1, "order_id": '"message":'}

    assert not Line(0, "buy", json.dumps(metric)).is_ours
    assert Line(0, "buy", json.dumps({**metric, "message": "POST"})).is_ours
    assert not Line(0, "buy", "REPORT RequestId: c0ffee").is_ours


def test_a_rotated_log_is_read(tmp_path):
    (tmp_path / "relay.log").write_text("2026-11-27 08:00:01,000 new\n")
    (tmp_path / "relay.log.1").write_text("2026-11-27 08:00:00,000 old\n")
    (tmp_path / "other.log").write_text("2026-11-27 08:00:00,000 not its\n")

    lines = list(read_file(tmp_path / "relay.log", "relay"))

    assert [line.message for line in lines] == ["old", "new"]


def test_parts_without_a_local_log_are_named(tmp_path, monkeypatch):
    monkeypatch.setattr(logs, "LOCAL", tmp_path)
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "edge.log").touch()

    assert logs._unread(Target("", "", "", asgi_url="http://edge")) == ["relay"]
    assert logs._unread(Target("", "", "")) == [], "there is no ASGI edge"
