"""Counters from the functions' log lines. Each line counts once, even if it comes late."""

import io
import json
import time
from contextlib import redirect_stdout

import boto3
import pytest
from moto import mock_aws

from flashsale.http import emf
from flashsale.http.observe import Observation
from flashsale_server.exporter.functions import PATTERNS, Functions
from flashsale_server.log_events import PAGE, events_of

GROUP = "/aws/lambda/flashsale-buy"
GROUPS = {name: f"/aws/lambda/flashsale-{name}" for name in PATTERNS}


@pytest.fixture
def logs():
    with mock_aws():
        client = boto3.client("logs")
        client.create_log_group(logGroupName=GROUP)
        client.create_log_stream(logGroupName=GROUP, logStreamName="one")
        yield client


@pytest.fixture
def functions(logs):
    return Functions(GROUPS)


def put(logs, message, later=0.0, group=GROUP):
    event = {"timestamp": int((time.time() + later) * 1000), "message": message}
    logs.put_log_events(logGroupName=group, logStreamName="one", logEvents=[event])


def line(seen):
    """Return a log line of the buy function."""
    handler = emf.logger.registered_handler
    with redirect_stdout(io.StringIO()) as written:
        usual = handler.setStream(written)
        emf.emit(seen)
        handler.setStream(usual)
    return written.getvalue().strip()


def bought(number, outcome="accepted", status=202, seconds=0.03):
    return line(
        Observation("POST", "/api/v5/buy", "/api/v5/buy", status, seconds, f"c-{number}",
                    5, outcome, f"p:{number}-0")
    )  # fmt: skip


def samples(functions):
    return {
        (sample.name.removeprefix("flashsale_"), *sample.labels.values()): sample.value
        for metric in functions.read()
        for sample in metric.samples
        if not sample.name.endswith("_created")
    }


def test_a_claim_is_counted_once_with_its_time(logs, functions):
    put(logs, bought(1))

    samples(functions)
    seen = samples(functions)

    assert seen["claims_total", "lambda", "5", "accepted"] == 1
    request = ("lambda", "POST", "/api/v5/buy", "202")
    assert seen["http_request_seconds_count", *request] == 1
    assert seen["http_request_seconds_sum", *request] == pytest.approx(0.03)
    assert seen["http_request_seconds_bucket", *request, "0.02"] == 0
    assert seen["http_request_seconds_bucket", *request, "0.05"] == 1


def test_claims_that_a_room_does_not_let_in_are_counted_by_why(logs, functions):
    for number, outcome in enumerate(("admission_required", "admission_over"), 1):
        put(logs, bought(number, outcome, 403))

    seen = samples(functions)

    assert seen["claims_total", "lambda", "5", "admission_required"] == 1
    assert seen["claims_total", "lambda", "5", "admission_over"] == 1
    assert seen["http_request_seconds_count", "lambda", "POST", "/api/v5/buy", "403"] == 2


def test_a_late_line_is_counted_and_no_line_twice(logs, functions):
    put(logs, bought(1), later=5)
    samples(functions)
    put(logs, bought(2), later=1)  # older than the lines that were read

    samples(functions)

    assert samples(functions)["claims_total", "lambda", "5", "accepted"] == 2


def test_lines_from_before_the_start_are_not_counted(logs):
    put(logs, bought(1), later=-5)

    seen = samples(Functions(GROUPS))

    assert not any(seen.values())


def test_a_sale_has_series_before_its_first_line(functions):
    """Otherwise a sale that begins and ends between two scrapes would have no rate."""
    seen = samples(functions)

    assert not any(seen.values())
    for generation, status in ((1, 201), (4, 202), (5, 202), (4, 400), (5, 409), (5, 503)):
        route = f"/api/v{generation}/buy"
        assert ("http_request_seconds_count", "lambda", "POST", route, str(status)) in seen
        assert ("claims_total", "lambda", str(generation), "accepted") in seen
        assert ("claims_total", "lambda", str(generation), "sold_out") in seen
    assert ("orders_total", "order", "failed") in seen
    assert ("order_batches_total", "rollback") in seen
    assert ("taken_payments_total", "applied") in seen


def test_other_requests_are_counted_by_their_route(logs, functions):
    put(logs, line(Observation("GET", "/api/products/p-1", "/api/products/{product_id}", 200,
                               0.004, "c")))  # fmt: skip

    seen = samples(functions)

    request = ("lambda", "GET", "/api/products/{product_id}", "200")
    assert seen["http_request_seconds_count", *request] == 1
    assert seen["http_request_seconds_sum", *request] == pytest.approx(0.004)


@pytest.mark.parametrize("message", ["START RequestId: 1", "{", "[]", '{"message": "hello"}'])
def test_other_lines_are_not_counted(logs, functions, message):
    put(logs, message)

    assert not any(samples(functions).values())


@pytest.mark.parametrize(
    "change",
    [
        {"generation": None},
        {"outcome": ...},
        {"Latency": "long"},
        {"Claims": ["x"]},
        {"Claims": {}},
    ],
)
def test_a_malformed_line_is_logged_and_others_are_counted(logs, functions, caplog, change):
    fields = {**json.loads(bought(1)), **change}
    put(logs, json.dumps({name: value for name, value in fields.items() if value is not ...}))
    put(logs, bought(2), later=0.1)

    seen = samples(functions)

    assert seen["http_request_seconds_count", "lambda", "POST", "/api/v5/buy", "202"] == 1
    assert "cannot be counted" in caplog.text


def test_invented_methods_share_one_series(logs, functions):
    for number in range(3):
        put(logs, line(Observation(f"X{number}", "/", "", 405, 0.001, "c")))

    assert samples(functions)["http_request_seconds_count", "lambda", "other", "", "405"] == 3


def test_what_other_functions_did_is_counted(logs, functions):
    for name, fields in (
        ("order", {"OrdersConfirmed": [7.0], "OrdersFailed": [1.0], "BatchSize": [8.0]}),
        ("sweep", {"ClaimsSwept": [3.0]}),
        ("payment", {"PaymentsApplied": [5.0], "PaymentsToRefund": [2.0], "PaymentsFailed": [1.0]}),
        ("webhook", {"WebhooksTaken": [4.0], "WebhooksRefused": [6.0]}),
    ):
        group = f"/aws/lambda/flashsale-{name}"
        logs.create_log_group(logGroupName=group)
        logs.create_log_stream(logGroupName=group, logStreamName="one")
        put(logs, json.dumps({"_aws": {}, **fields}), group=group)

    seen = samples(functions)

    assert seen["orders_total", "order", "confirmed"] == 7
    assert seen["orders_total", "order", "failed"] == 1
    assert seen["order_batches_total", "order"] == 1
    assert seen["swept_claims_total", "lambda"] == 3
    for outcome, count in (("applied", 5), ("to_refund", 2), ("failed", 1)):
        assert seen["taken_payments_total", outcome] == count
    assert (seen["webhooks_total", "taken"], seen["webhooks_total", "refused"]) == (4, 6)


class Oldest:
    """CloudWatch Logs as in ministack: one page of the oldest events, without a next token."""

    def __init__(self, stamps):
        self.events = [{"timestamp": at, "message": f"line {n}"} for n, at in enumerate(stamps)]

    def get_paginator(self, _):
        return self

    def paginate(self, startTime, **_):  # noqa: N803 - so AWS calls it
        yield {"events": [e for e in self.events if e["timestamp"] >= startTime][:PAGE]}


def test_reading_goes_on_after_a_full_page_without_a_token():
    logs = Oldest([1 + n // 3 for n in range(2 * PAGE + 5)])  # three lines in each millisecond

    assert list(events_of(logs, GROUP, 1, "")) == logs.events


def test_a_full_page_of_one_millisecond_does_not_loop_forever():
    logs = Oldest([1] * (PAGE + 5))

    assert len(list(events_of(logs, GROUP, 1, ""))) == PAGE
