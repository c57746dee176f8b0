"""From an SQS event to a use case, and from its outcome to failures, a log line and metrics."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from flashsale.domain.messages import QueuedOrder
from flashsale.domain.payments import Decision
from flashsale.usecases.batch import MessageResults, Outcome, ReceivedMessage
from flashsale.usecases.take_payments import Taken

# Bytes of a line for the ids of orders. CloudWatch takes 256 KB a line, and causes need some.
LONGEST_LINE = 150_000
LONGEST_CORRELATION_ID = 128


def messages(event: dict[str, Any]) -> list[ReceivedMessage]:
    """Return the messages of an SQS event."""
    return [ReceivedMessage(record["messageId"], record["body"]) for record in event["Records"]]


def failed_items(outcome: MessageResults) -> dict[str, Any]:
    """Return the answer for SQS (ReportBatchItemFailures): the messages to deliver again."""
    return {
        "batchItemFailures": [
            {"itemIdentifier": failure.message_id} for failure in outcome.failures
        ]
    }


def record(what: str, outcome: Outcome, logger: Logger, metrics: Metrics) -> None:
    """Write the invocation's log line and count its outcomes.

    Orders that do not fit into one line follow in more lines, which have only orders and causes.
    """
    write = logger.warning if outcome.failures else logger.info
    first, *more = _orders_by_line(outcome)
    write(
        what,
        extra={
            "confirmed": len(outcome.confirmed),
            "cancelled": len(outcome.cancelled),
            # Only products with a payment hold have such orders.
            **({"reserved": len(outcome.reserved)} if outcome.reserved else {}),
            "released_units": outcome.released,
            "failures": _causes(outcome),
            "orders": {},
            **first,
        },
    )
    for orders in more:
        write(f"{what}, continued", extra={"failures": _causes(outcome), **orders})
    failed = _count_failed(outcome)
    counts = {
        "OrdersConfirmed": len(outcome.confirmed),
        "OrdersCancelled": len(outcome.cancelled),
        "OrdersFailed": failed,
        "UnitsReleased": outcome.released,
        "BatchSize": len(_written(outcome)) + failed,
    }
    if outcome.reserved:
        counts["OrdersReserved"] = len(outcome.reserved)
    for name, value in counts.items():
        metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)


def record_payments(taken: Taken, logger: Logger, metrics: Metrics) -> None:
    """Write the invocation's log line and count decisions that were not made before."""
    write = logger.warning if taken.failures else logger.info
    payments: dict[str, dict[str, str | None]] = {}
    for message_id, payment in taken.payments.items():
        payments[payment.id] = {"order_id": payment.order_id}
        if decided := taken.decided.get(message_id):
            payments[payment.id] |= {"decision": decided.decision, "why": decided.why}
    write("payments taken", extra={"payments": payments, "failures": _causes(taken)})
    new = [decided.decision for decided in taken.decided.values() if decided.first]
    counts = {
        "PaymentsApplied": new.count(Decision.APPLIED),
        "PaymentsToRefund": new.count(Decision.REFUND_DUE),
        "PaymentsFailed": len(taken.failures),
    }
    for name, value in counts.items():
        metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)


def _causes(outcome: MessageResults) -> dict[str, str]:
    return {failure.message_id: failure.cause for failure in outcome.failures}


def _orders_by_line(outcome: Outcome) -> list[dict[str, Any]]:
    """Return the correlation ids of orders, by the outcome of the orders; an item for each line."""
    lines, size = [dict[str, Any]()], 0
    for path, order in _named(outcome):
        # A correlation id of ours has 36 characters. JSON writes a character as twelve at most.
        correlation_id = order.correlation_id[:LONGEST_CORRELATION_ID]
        cost = len(json.dumps({order.id: correlation_id}))
        size += cost
        if size > LONGEST_LINE:
            lines.append({})
            size = cost
        group = lines[-1]
        for name in path:
            group = group.setdefault(name, {})
        group[order.id] = correlation_id
    return lines


def _named(outcome: Outcome) -> Iterator[tuple[tuple[str, ...], QueuedOrder]]:
    """Yield each order with the names under which a line has it."""
    groups: dict[tuple[str, ...], Sequence[QueuedOrder]] = {
        ("orders",): _written(outcome),
        ("reserved_orders",): outcome.reserved,
        ("cancelled_orders",): outcome.cancelled,
        ("sent_alone",): outcome.sent_alone,
        ("another_order_has_the_id",): outcome.conflicts,
    }
    for failure in outcome.failures:
        orders = outcome.orders.get(failure.message_id, [])
        groups["failed_orders", failure.message_id] = orders
    return ((path, order) for path, orders in groups.items() for order in orders)


def _written(outcome: Outcome) -> list[QueuedOrder]:
    return [*outcome.confirmed, *outcome.reserved, *outcome.cancelled]


def _count_failed(outcome: Outcome) -> int:
    """Count the orders to deliver again; a message without orders counts as one."""
    done = {order.id for order in _written(outcome)}
    return sum(
        sum(order.id not in done for order in outcome.orders[failure.message_id])
        if failure.message_id in outcome.orders
        else 1
        for failure in outcome.failures
    )
