"""Costs that `flashsale model` predicts for a rate, against results computed by hand."""

import pytest

from flashsale_desk.scaling.costs import LAMBDA_EDGES, Edge, crossover, hourly, per_million
from flashsale_desk.scaling.inputs import load
from tests.unit.scaling.figures import MANY_RATES


def test_costs_of_an_hour_on_the_lambda_edge(pencil):
    # 100/s are 0.36 million an hour.
    # front door: 0.36 x 2 USD; logs: 0.36 million x 1 KB = 0.36 GB x 1 USD
    # compute: 0.36 x 1 USD, and GB-seconds: 100/s x 0.01 s + 1 leader = 2 environments x 3,600 s
    #   x 1 GB x 0.00001 = 0.072
    # 10 relay calls/s (linger 0.1 s), a message each, of 10 claims = 10 KB: one chunk
    # order: 10/s x 3,600 x 1 USD/million = 0.036, and 10 x 0.1 s + 100 x 0.002 s = 1.2 busy
    #   environments x 3,600 x 0.00001 = 0.0432
    # SQS: 10 sends, 10 receives, 10 deletes a second = 108,000 an hour = 0.108
    assert hourly(pencil, Edge.HTTP_API, 100) == pytest.approx(
        {
            "front door": 0.72, "compute": 0.36 + 0.072, "logs": 0.36, "network": 0,
            "order function": 0.036 + 0.0432, "SQS": 0.108, "Valkey": 0.2, "PostgreSQL": 0.3,
        }
    )  # fmt: skip


def test_a_function_url_saves_the_cost_of_the_api(pencil):
    api, url = hourly(pencil, Edge.HTTP_API, 100), hourly(pencil, Edge.FUNCTION_URL, 100)

    assert url == api | {"front door": 0}


def test_costs_of_an_hour_on_the_asgi_edge(pencil):
    # 100/s x 1 ms / 0.5 = 0.2 vCPU: one task of 2 vCPU and 4 GB; the relay has 1 vCPU and 2 GB:
    #   3 x 0.1 + 6 x 0.01 = 0.36
    # load balancer: 100 connections/s = 4 LCU x 0.01, + 0.05 (bytes: 0.72 GB/h = 0.72 LCU: less)
    # network: 2 zones x (3 endpoints x 0.02 + an address for 0.01) = 0.14
    # 5 relay calls/s: order 5 x 3,600 / million = 0.018, busy 5 x 0.1 + 0.2 = 0.7: 0.0252
    # SQS: 15/s x 3,600 = 54,000 = 0.054
    assert hourly(pencil, Edge.ASGI, 100) == pytest.approx(
        {
            "front door": 0.09, "compute": 0.36, "logs": 0, "network": 0.14,
            "order function": 0.018 + 0.0252, "SQS": 0.054, "Valkey": 0.2, "PostgreSQL": 0.3,
        }
    )  # fmt: skip


def test_payload_is_billed_by_64_kb(pencil):
    # 1,000/s in 5 calls/s: 200 claims of 1 KB = 200,000 bytes a call and message: 4 chunks of
    # 65,536 each to send and to receive, one to delete: 5 x (4 + 4 + 1) = 45/s x 3,600 = 0.162 USD
    assert hourly(pencil, Edge.ASGI, 1000)["SQS"] == pytest.approx(0.162)


def test_per_million_is_the_hour_divided_by_its_purchases(pencil):
    # 0.09 + 0.36 + 0.14 + 0.0432 + 0.054 + 0.2 + 0.3 = 1.1872 USD for 0.36 million
    assert per_million(pencil, Edge.ASGI, 100) == pytest.approx(1.1872 / 0.36)


@pytest.mark.parametrize("edge", Edge)
def test_an_hour_at_a_higher_rate_never_costs_less(shipped, edge):
    found = [sum(hourly(shipped, edge, rate).values()) for rate in MANY_RATES]

    assert found == sorted(found)


@pytest.mark.parametrize("inputs", ["shipped", "pencil"])
@pytest.mark.parametrize("edge", LAMBDA_EDGES)
def test_at_the_crossover_both_edges_have_equal_costs(inputs, edge, request):
    inputs = request.getfixturevalue(inputs)
    found = crossover(inputs, edge)

    def dearer(rate):
        return per_million(inputs, edge, rate) - per_million(inputs, Edge.ASGI, rate)

    assert dearer(found) == pytest.approx(0, abs=1e-9)
    assert dearer(found * 0.99) < 0 < dearer(found * 1.01)


def test_there_is_no_crossover_where_containers_cost_too_much():
    assert crossover(load(overrides={"fargate_vcpu_hour": 1e6}), Edge.HTTP_API) is None
