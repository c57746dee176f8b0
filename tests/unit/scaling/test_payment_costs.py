"""Costs of payments that `flashsale model` predicts, against results computed by hand."""

import pytest

from flashsale_desk.scaling.costs import Edge
from flashsale_desk.scaling.inputs import load
from flashsale_desk.scaling.payments import per_million_payments
from tests.unit.scaling.figures import ROUND


def test_a_payment_on_the_lambda_edge_is_three_invocations(pencil):
    # front door: 2 calls x 2 USD; logs: a million x 3 KB = 3 GB x 1 USD; SQS: 3 requests x 1 USD
    # compute: 3 invocations x 1 USD; GB-seconds: 0.2 s to begin, 2 / 0.5 + 6 = 10 ms for the
    #   webhook, 1 / 0.5 + 100 = 102 ms to apply: 0.312 s x a million x 1 GB x 0.00001 = 3.12
    assert per_million_payments(pencil, Edge.HTTP_API) == pytest.approx(
        {"front door": 4, "compute": 3 + 3.12, "logs": 3, "SQS": 3}
    )


def test_a_function_url_saves_both_calls_of_the_api(pencil):
    api = per_million_payments(pencil, Edge.HTTP_API)

    assert per_million_payments(pencil, Edge.FUNCTION_URL) == api | {"front door": 0}


def test_on_the_asgi_edge_only_the_webhook_is_a_call_of_the_api(pencil):
    # front door: one call for 2 USD, and a connection of 25/s x 3,600 s = 1/90,000 LCU-hour x 0.01
    # compute: 2 invocations, 0.112 s = 1.12; a task computes 2 ms / 0.5 utilisation = 4 ms of
    #   (0.1 + 2 GB x 0.01) USD an hour: 4,000 s a million / 3,600 x 0.12 = 0.1333
    assert per_million_payments(pencil, Edge.ASGI) == pytest.approx(
        {"front door": 2 + 1e6 / 90_000 * 0.01, "compute": 2 + 1.12 + 4 / 3.6 * 0.12,
         "logs": 2, "SQS": 3}
    )  # fmt: skip


def test_only_functions_are_paid_for_waiting_for_the_provider(pencil):
    slow = load(overrides=ROUND | {"provider_wait": 1196})  # one second more

    def dearer(edge):
        return (
            per_million_payments(slow, edge)["compute"]
            - per_million_payments(pencil, edge)["compute"]
        )

    assert dearer(Edge.HTTP_API) == pytest.approx(10)
    assert dearer(Edge.ASGI) == 0
