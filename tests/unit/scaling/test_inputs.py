"""The input figures of `flashsale model`."""

import io
import re
from contextlib import redirect_stdout
from uuid import uuid4

import pytest

from flashsale.domain import room_estimates
from flashsale.domain.messages import Envelope, QueuedOrder
from flashsale.http.emf import emit
from flashsale.http.observe import Observation
from flashsale.usecases import relay
from flashsale_desk.scaling.inputs import KINDS, load
from flashsale_local.paths import ROOT
from flashsale_local.problems import Problem


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


def test_every_measured_figure_names_its_command(shipped):
    for name, entry in shipped.entries.items():
        if entry["kind"] == "measured":
            assert entry["command"], name


def test_figures_from_the_code_match_the_code(shipped):
    measured = shipped.measured

    assert measured.claims_per_envelope == relay.CLAIMS_PER_ENVELOPE
    assert measured.envelopes_per_call == relay.MESSAGES_PER_CALL
    assert measured.relay_linger_lambda == relay.LAMBDA_PACE.linger
    polls = (measured.poll_people, measured.poll_least, measured.poll_most)
    assert polls == (room_estimates.LOOKS, room_estimates.SHORTEST, room_estimates.LONGEST)


def test_figures_from_the_template_match_the_template(shipped):
    template = (ROOT / "template.yaml").read_text()
    found = [int(number) for number in re.findall(r"MaximumConcurrency: (\d+)", template)]
    (memory,) = re.findall(r"MemorySize: (\d+)", template)

    measured = shipped.measured
    of_orders = [measured.order_concurrency, measured.rollback_concurrency]
    assert [*of_orders, measured.payment_concurrency] == found
    assert measured.function_mb == int(memory)


def test_a_claim_has_as_many_bytes_as_stated(shipped):
    orders = [
        QueuedOrder(id=f"p-03:1795445503{n:03d}-0", product_id="p-03", user_id=f"u-{n:05d}",
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

    # plus 265 of Lambda's own lines, and 26 for each of three lines
    assert len(line.getvalue()) + 265 + 3 * 26 == pytest.approx(shipped.measured.log_bytes, rel=0.1)


def test_another_file_replaces_the_entries_that_it_names(tmp_path):
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
def test_an_invalid_file_is_rejected(tmp_path, text):
    path = tmp_path / "prices.toml"
    path.write_text(text)

    with pytest.raises(Problem, match=r"prices\.toml"):
        load(prices=path)


def test_an_override_of_an_unknown_entry_is_rejected():
    with pytest.raises(Problem, match="no nonsense"):
        load(overrides={"nonsense": 1.0})
