"""What `flashsale model` calculates, against numbers worked out by hand."""

import io
import json
import math
import re
from contextlib import redirect_stdout
from uuid import uuid4

import pytest
from rich.console import Console
from typer.testing import CliRunner

from flashsale import relay
from flashsale.http.emf import emit
from flashsale.http.observe import Observation
from flashsale.messages import Envelope, Order
from infra.cli import app
from infra.paths import ROOT
from infra.problems import Problem
from infra.scaling import rates
from infra.scaling.costs import LAMBDA_EDGES, Edge, crossover, hourly, per_million
from infra.scaling.inputs import HERE, KINDS, load

DOCUMENT = (ROOT / "docs" / "scaling.md").read_text()

# Round figures, so that the examples can be followed with a pencil.
ROUND = {
    # a function has half a vCPU: 3 ms of CPU take 6 ms
    "function_mb": 1024, "mb_per_vcpu": 2048, "vcpu_speed": 1, "billing_step": 0,
    "v5_cpu": 3, "valkey_wait": 4,  # 6 + 4 = 10 ms
    "claim_cpu": 1, "send_message_cpu": 4, "sqs_wait": 6,  # (1 + 4) / 0.5 + 4 + 6 = 20 ms
    "order_cpu": 1, "order_wait": 100,  # 2 ms an order, 100 ms an invocation
    "relay_linger_lambda": 100, "relay_calls_asgi": 5, "claim_bytes": 1000,
    "asgi_cpu": 1, "task_utilisation": 0.5, "task_vcpus": 2, "task_gb": 4, "tasks_at_least": 1,
    "relay_vcpus": 1, "relay_gb": 2,
    "shard_claims": 2000, "shard_share": 0.5, "orders_persisted": 1000, "log_bytes": 1000,
    "lambda_request": 1, "lambda_gb_second": 0.00001, "http_api_request": 2, "sqs_request": 1,
    "fargate_vcpu_hour": 0.1, "fargate_gb_hour": 0.01, "alb_hour": 0.05, "alb_lcu_hour": 0.01,
    "logs_gb": 1, "valkey_node_hour": 0.2, "postgres_instance_hour": 0.3,
}  # fmt: skip


@pytest.fixture(scope="module")
def shipped():
    return load()


@pytest.fixture(scope="module")
def pencil():
    return load(overrides=ROUND)


# ---- rates ---------------------------------------------------------------------------------------


def test_a_function_computes_as_fast_as_its_part_of_a_vcpu(pencil):
    assert rates.buy_seconds(pencil, 5) == pytest.approx(0.010)
    assert rates.buy_seconds(pencil, 4) == pytest.approx(0.020)


def test_more_memory_than_a_vcpu_brings_makes_one_thread_no_faster():
    big = load(overrides=ROUND | {"function_mb": 4096})

    assert rates.buy_seconds(big, 5) == pytest.approx(0.003 + 0.004)


def test_environments_are_rate_times_duration_where_an_invocation_is_long():
    slow = load(overrides=ROUND | {"valkey_wait": 494})  # 6 + 494 = 500 ms

    # 200/s x 0.5 s = 100, and one that relays
    assert rates.environments(slow, 200, 5) == 101


def test_an_environment_serves_no_more_than_ten_requests_a_second(pencil):
    # Little's law alone: 1,000/s x 0.01 s = 10 environments. AWS: 1,000 / 10 = 100.
    assert rates.environments(pencil, 1000, 4) == 100
    assert rates.environments(pencil, 1000, 5) == 100 + 1


def test_scaling_takes_no_time_up_to_the_burst_and_ten_seconds_for_each_thousand_more(pencil):
    assert rates.scaling_seconds(pencil, 1000) == 0
    assert rates.scaling_seconds(pencil, 2000) == 10
    assert rates.scaling_seconds(pencil, 4500) == 35


def test_relay_calls_follow_the_purchases_then_the_pace_then_the_full_calls(pencil):
    # a call has at most 10 x 200 = 2,000 claims
    assert rates.relay_calls(pencil, 2, pace=5) == 2
    assert rates.relay_calls(pencil, 300, pace=5) == 5
    assert rates.relay_calls(pencil, 20_000, pace=5) == 10


def test_relay_calls_agree_with_what_was_measured(shipped):
    # docs/benchmarks.md: 0.008 calls an order at 1,000/s, 0.030 at 300/s
    measured = shipped.measured.relay_calls_asgi

    assert rates.relay_calls(shipped, 1000, measured) / 1000 == pytest.approx(0.008, abs=0.0015)
    assert rates.relay_calls(shipped, 300, measured) / 300 == pytest.approx(0.030, abs=0.0005)


def test_tasks_shards_and_backlog(pencil):
    # 5,000/s x 1 ms / 0.5 = 10 vCPUs = 5 tasks; a shard takes 2,000 x 0.5 = 1,000/s;
    # PostgreSQL writes 1,000/s of 5,000: after 60 s 4,000 x 60 wait
    found = rates.needs(pencil, 5000)

    assert (found.tasks, found.shards, found.backlog) == (5, 5, 240_000)
    # 5 environments of order, 2 ms an order: 2,500/s
    assert rates.order_limit(pencil) == pytest.approx(2500)


def test_ceilings_are_sorted_and_leave_room_for_the_other_functions(pencil):
    found = rates.ceilings(pencil)

    assert found == sorted(found)
    # (1,000 - 5 order - 5 rollback - 1 that relays) x 10/s
    assert (9890, "account concurrency (Lambda edge)") in [(round(r), what) for r, what in found]


@pytest.mark.parametrize("field", ["environments_v4", "environments_v5", "tasks", "shards",
                                   "scaling_seconds", "sends_v5_lambda", "sends_v5_asgi",
                                   "connections_v2_v3", "backlog"])  # fmt: skip
def test_a_higher_rate_never_needs_less(shipped, field):
    found = [getattr(rates.needs(shipped, rate), field) for rate in _many_rates()]

    assert found == sorted(found)


# ---- costs ---------------------------------------------------------------------------------------


def test_costs_of_an_hour_on_the_lambda_edge(pencil):
    # 100/s are 0.36 million an hour.
    # door: 0.36 x 2 USD; logs: 0.36 million x 1 KB = 0.36 GB x 1 USD
    # compute: 0.36 x 1 USD, and GB-seconds: 100/s x 0.01 s + 1 leader = 2 environments x 3,600 s
    #   x 1 GB x 0.00001 = 0.072
    # 10 relay calls/s (linger 0.1 s), a message each, of 10 claims = 10 KB: one chunk
    # order: 10/s x 3,600 x 1 USD/million = 0.036, and 10 x 0.1 s + 100 x 0.002 s = 1.2 busy
    #   environments x 3,600 x 0.00001 = 0.0432
    # SQS: 10 sends, 10 receives, 10 deletes a second = 108,000 an hour = 0.108
    assert hourly(pencil, Edge.HTTP_API, 100) == pytest.approx(
        {
            "front door": 0.72, "compute": 0.36 + 0.072, "logs": 0.36,
            "order function": 0.036 + 0.0432, "SQS": 0.108, "Valkey": 0.2, "PostgreSQL": 0.3,
        }
    )  # fmt: skip


def test_a_function_url_costs_the_same_less_the_api(pencil):
    api, url = hourly(pencil, Edge.HTTP_API, 100), hourly(pencil, Edge.FUNCTION_URL, 100)

    assert url == api | {"front door": 0}


def test_costs_of_an_hour_on_the_asgi_edge(pencil):
    # 100/s x 1 ms / 0.5 = 0.2 vCPU: one task of 2 vCPU and 4 GB; the relay has 1 vCPU and 2 GB:
    #   3 x 0.1 + 6 x 0.01 = 0.36
    # load balancer: 100 connections/s = 4 LCU x 0.01, + 0.05 (bytes: 0.72 GB/h = 0.72 LCU: less)
    # 5 relay calls/s: order 5 x 3,600 / million = 0.018, busy 5 x 0.1 + 0.2 = 0.7: 0.0252
    # SQS: 15/s x 3,600 = 54,000 = 0.054
    assert hourly(pencil, Edge.ASGI, 100) == pytest.approx(
        {
            "front door": 0.09, "compute": 0.36, "logs": 0,
            "order function": 0.018 + 0.0252, "SQS": 0.054, "Valkey": 0.2, "PostgreSQL": 0.3,
        }
    )  # fmt: skip


def test_payload_is_billed_by_64_kb(pencil):
    # 1,000/s in 5 calls/s: 200 claims of 1 KB = 200,000 bytes a call and message: 4 chunks of
    # 65,536 each to send and to receive, one to delete: 5 x (4 + 4 + 1) = 45/s x 3,600 = 0.162 USD
    assert hourly(pencil, Edge.ASGI, 1000)["SQS"] == pytest.approx(0.162)


def test_per_million_is_the_hour_divided_by_its_purchases(pencil):
    # 0.09 + 0.36 + 0.0432 + 0.054 + 0.2 + 0.3 = 1.0472 USD for 0.36 million
    assert per_million(pencil, Edge.ASGI, 100) == pytest.approx(1.0472 / 0.36)


@pytest.mark.parametrize("edge", Edge)
def test_an_hour_at_a_higher_rate_never_costs_less(shipped, edge):
    found = [sum(hourly(shipped, edge, rate).values()) for rate in _many_rates()]

    assert found == sorted(found)


@pytest.mark.parametrize("inputs", ["shipped", "pencil"])
@pytest.mark.parametrize("edge", LAMBDA_EDGES)
def test_at_the_crossover_both_edges_cost_the_same(inputs, edge, request):
    inputs = request.getfixturevalue(inputs)
    found = crossover(inputs, edge)

    def dearer(rate):
        return per_million(inputs, edge, rate) - per_million(inputs, Edge.ASGI, rate)

    assert dearer(found) == pytest.approx(0, abs=1e-9)
    assert dearer(found * 0.99) < 0 < dearer(found * 1.01)


def test_there_is_no_crossover_where_containers_cost_too_much():
    assert crossover(load(overrides={"fargate_vcpu_hour": 1e6}), Edge.HTTP_API) is None


# ---- inputs --------------------------------------------------------------------------------------


def test_every_figure_has_a_unit_a_date_and_a_source(shipped):
    for name, entry in shipped.entries.items():
        assert entry["unit"], name
        assert entry["source"], name
        assert entry["kind"] in KINDS, name
        assert entry["date"].year >= 2026, name


def test_every_price_has_the_address_and_the_date_of_its_page(shipped):
    for name in type(shipped.prices).__dataclass_fields__:
        entry = shipped.entries[name]
        assert entry["source"].startswith("https://"), name
        assert entry["page"], name
        assert entry["kind"] in {"quoted", "assumption"}, name


def test_everything_measured_names_its_command(shipped):
    for name, entry in shipped.entries.items():
        if entry["kind"] == "measured":
            assert entry["command"], name


def test_the_figures_of_the_code_are_those_of_the_code(shipped):
    measured = shipped.measured

    assert measured.claims_per_envelope == relay.CLAIMS_PER_ENVELOPE
    assert measured.envelopes_per_call == relay.ENVELOPES_PER_CALL
    assert measured.relay_linger_lambda == relay.LAMBDA_PACE.linger


def test_the_figures_of_the_template_are_those_of_the_template(shipped):
    template = (ROOT / "template.yaml").read_text()
    found = [int(number) for number in re.findall(r"MaximumConcurrency: (\d+)", template)]
    (memory,) = re.findall(r"MemorySize: (\d+)", template)

    measured = shipped.measured
    assert [measured.order_concurrency, measured.rollback_concurrency] == found
    assert measured.function_mb == int(memory)


def test_a_claim_has_as_many_bytes_as_stated(shipped):
    orders = [
        Order(id=f"p-03:1795445503{n:03d}-0", product_id="p-03", user_id=f"u-{n:05d}",
              generation=5, correlation_id=uuid4().hex)
        for n in range(200)
    ]  # fmt: skip
    length = len(Envelope.of(orders).model_dump_json())

    assert length / 200 == pytest.approx(shipped.measured.claim_bytes, rel=0.05)


def test_our_log_line_has_as_many_bytes_as_stated(shipped, monkeypatch):
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "flashsale")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "flashsale")
    seen = Observation("POST", "/api/v5/buy", "/api/v5/buy", 202, 0.01, uuid4().hex,
                       5, "accepted", "p-03:1795445503658-0")  # fmt: skip

    with redirect_stdout(io.StringIO()) as line:
        emit(seen)

    # and 265 of Lambda's own lines, and 26 for each of three
    assert len(line.getvalue()) + 265 + 3 * 26 == pytest.approx(shipped.measured.log_bytes, rel=0.1)


def test_another_file_replaces_what_it_names(tmp_path):
    other = tmp_path / "prices.toml"
    other.write_text('[http_api_request]\nvalue = 3\nper = 1000000\nkind = "assumption"\n')

    changed = load(prices=other)

    assert changed.prices.http_api_request == 3e-6
    assert changed.prices.sqs_request == load().prices.sqs_request
    assert "http_api_request" in changed.assumptions


def test_an_override_is_in_the_unit_of_its_entry():
    assert load(overrides={"valkey_wait": 5}).measured.valkey_wait == 0.005


@pytest.mark.parametrize("text", ["[x]\nvalue = 1\nkind = 'quoted'", "nonsense", "[sqs_request]",
                                  "[sqs_request]\nvalue = '1'\nkind = 'quoted'",
                                  "[sqs_request]\nvalue = 1\nkind = 'heard'"])  # fmt: skip
def test_a_file_that_is_wrong_is_refused(tmp_path, text):
    path = tmp_path / "prices.toml"
    path.write_text(text)

    with pytest.raises(Problem, match=r"prices\.toml"):
        load(prices=path)


def test_an_override_of_nothing_is_refused():
    with pytest.raises(Problem, match="no nonsense"):
        load(overrides={"nonsense": 1.0})


# ---- the command, and what docs/scaling.md says of it --------------------------------------------


@pytest.fixture
def run(monkeypatch):
    plain = Console(width=80, highlight=False, color_system=None, force_terminal=False)
    monkeypatch.setattr("infra.cli.model.console", plain)

    def run(*arguments):
        done = CliRunner().invoke(app, ["model", *arguments], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.stdout

    return run


def test_the_document_has_what_the_command_prints(run):
    printed = "\n".join(line.rstrip() for line in run().splitlines())

    assert "What a rate needs" in printed
    assert f"\n{printed}\n```" in DOCUMENT


def test_the_document_says_rightly_how_the_crossover_moves():
    rows = re.findall(
        r"^\| `--set (\w+)=([\d.]+)` \|[^|]*\| (\d+) \| (\d+) \|$", DOCUMENT, re.MULTILINE
    )

    assert len(rows) >= 5
    for name, value, api, url in rows:
        inputs = load(overrides={name: float(value)})
        found = [str(round(crossover(inputs, edge))) for edge in LAMBDA_EDGES]
        assert found == [api, url], name


def test_the_document_has_each_price_and_says_which_nobody_has_checked(shipped):
    for name in type(shipped.prices).__dataclass_fields__:
        ((value, rest),) = re.findall(rf"^\| `{name}` \| ([\d.]+) \|(.*)$", DOCUMENT, re.MULTILINE)
        assert float(value) == shipped.entries[name]["value"], name
        assert ("assumption" in rest) == (name in shipped.assumptions), name


def test_machines_get_the_same_numbers(run, shipped):
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


def _many_rates():
    return [10 ** (step / 10) for step in range(60)]
