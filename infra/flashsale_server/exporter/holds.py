"""Metrics of payment holds, and of payments that are not done with."""

from prometheus_client import Metric

from flashsale.domain.hold_figures import HoldFigures
from flashsale.domain.payments import Decision, RefundReason
from flashsale_server.exporter.families import gauge

# Shown as 0 if there are none, so that a dashboard has a line from the start.
EXPECTED = [
    (Decision.WAITING.value, ""),
    *((Decision.REFUND_DUE.value, reason.value) for reason in RefundReason),
]


def of_holds(figures: HoldFigures) -> list[Metric]:
    """Return the metrics of these figures.

    APPLIED and REFUNDED payments are not counted here, because only a look at all payments could
    tell. The payment function counts what it applies (see `Functions`).
    """
    counts = dict.fromkeys(EXPECTED, 0)
    counts |= {(row.decision.value, row.why): row.count for row in figures.payments}
    return [
        gauge(
            "payments", "Payments that wait for their order or are to be refunded",
            counts.items(), "decision", "why",
        ),
        gauge(
            "refund_due_oldest_seconds", "Time since the oldest refund became due; 0 without any",
            [((), figures.refund_due)],
        ),
        gauge(
            "holds_overdue_seconds",
            "Time since the oldest RESERVED order should have expired; 0 if none should",
            [((), figures.overdue)],
        ),
        gauge(
            "holds_without_order", "Holds in Redis that should have ended and have no order",
            [((), figures.without_order)],
        ),
    ]  # fmt: skip
