"""The life of one order, read from the log lines of all parts."""

import json

import pytest

from flashsale.http.observe import Observation
from flashsale_local.cli import order_life
from flashsale_local.deployment.target import Target
from flashsale_local.logs.lines import Line, read_file
from flashsale_local.logs.order_life import Life
from flashsale_local.stack.containers import record_start
from flashsale_server.edge import metrics
from flashsale_server.edge.log_format import LineFormat

ORDER = "p-1:1795464769699-0"


ENTRY = ORDER.partition(":")[2]
SENDING = {"product_id": "p-1", "claims": 1, "first_entry": ENTRY, "last_entry": ENTRY}
FACTS = [{"sending": SENDING}, {"overdue": {"product_id": "p-1", "entries": [ENTRY]}}]
RELAYED, SWEPT = [f"claims of p-1 in one call\t{json.dumps(facts)}" for facts in FACTS]


def batch(**fields):
    return Line(0, "order", json.dumps({"level": "INFO", "message": "orders placed", **fields}))


def test_a_written_order_is_not_reported_as_failed_with_its_message():
    failed = {"m-1": {ORDER: "c", "p-1:1795464769699-1": "c"}}
    line = batch(orders={ORDER: "c"}, failed_orders=failed, failures={"m-1": "no user"})

    (_, event) = Life(ORDER).events([line])[::-1]

    assert event.text == "INFO    orders placed: CONFIRMED"


def test_events_of_one_millisecond_have_the_order_of_a_purchase():
    at = 1795464769699
    lines = [
        Line(at, "order", json.dumps({"level": "INFO", "message": "placed", "order_id": ORDER})),
        Line(at, "relay", f"INFO {RELAYED}"),
        Line(at, "buy", json.dumps({"level": "INFO", "message": "POST", "order_id": ORDER})),
    ]

    assert [event.where for event in Life(ORDER).events(lines)] == [
        "buy", "redis", "relay", "order"
    ]  # fmt: skip


@pytest.mark.parametrize("text", [RELAYED, SWEPT])
def test_a_path_that_looks_like_a_relay_line_is_no_relay_event(text, caplog):
    metrics.emit(Observation("GET", f"/{text}", "", 503, 0.1, "c", error="down"))
    (record,) = caplog.records
    lines = [
        Line(1, "buy", json.dumps({"level": "INFO", "message": f"GET /{text}", "status": 404})),
        Line(2, "edge", LineFormat().format(record)),
    ]

    assert "relay" not in {event.where for event in Life(ORDER).events(lines)}


@pytest.mark.parametrize("facts", FACTS)
def test_the_relay_is_read_in_both_formats(facts):
    text = "claims of p-1 in one call"
    plain = f"INFO {text}\t{json.dumps(facts)}"
    structured = json.dumps({"level": "INFO", "message": text, **facts})

    for line in (plain, structured):
        assert "relay" in {event.where for event in Life(ORDER).events([Line(1, "sweep", line)])}


def test_a_person_reads_a_plain_line_without_its_fields(tmp_path):
    (tmp_path / "relay.log").write_text(f"2026-11-27 08:00:00,000 INFO {RELAYED}\n")

    (line,) = read_file(tmp_path / "relay.log", "relay")

    assert line.pretty == "INFO claims of p-1 in one call"
    assert [event.where for event in Life(ORDER).events([line])] == ["redis", "relay"]


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
    monkeypatch.setattr(order_life, "LOCAL", tmp_path)
    edge = Target("", "", "", asgi_url="http://edge")

    assert not order_life._unread(edge)
    record_start(tmp_path)
    assert order_life._unread(edge) == ("edge", "relay")
    assert not order_life._unread(Target("", "", "")), "there is no ASGI edge"
