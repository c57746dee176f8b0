"""Between an SQS event and a use case: messages in, partial failures, log line and metrics out."""

from collections.abc import Sequence
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from flashsale.batch import Message, Outcome
from flashsale.messages import Order


def messages(event: dict[str, Any]) -> list[Message]:
    """The messages of an SQS event."""
    return [Message(record["messageId"], record["body"]) for record in event["Records"]]


def failed_items(outcome: Outcome) -> dict[str, Any]:
    """The answer of a function with ReportBatchItemFailures: these messages must come again."""
    return {
        "batchItemFailures": [
            {"itemIdentifier": failure.message_id} for failure in outcome.failures
        ]
    }


def record(what: str, outcome: Outcome, logger: Logger, metrics: Metrics) -> None:
    """Write the invocation's log line and count its outcomes."""
    done = [*outcome.confirmed, *outcome.cancelled]
    # Rare, so they are on the line only where there are any.
    more = {
        "cancelled_orders": _correlation_ids(outcome.cancelled),
        "sent_alone": _correlation_ids(outcome.sent_alone),
        "another_order_has_the_id": _correlation_ids(outcome.conflicts),
        "failed_orders": {
            failure.message_id: _correlation_ids(outcome.orders[failure.message_id])
            for failure in outcome.failures
            if failure.message_id in outcome.orders
        },
    }
    write = logger.warning if outcome.failures else logger.info
    write(
        what,
        extra={
            "confirmed": len(outcome.confirmed),
            "cancelled": len(outcome.cancelled),
            "released_units": outcome.released,
            "failures": {failure.message_id: failure.cause for failure in outcome.failures},
            "orders": _correlation_ids(done),
            **{name: value for name, value in more.items() if value},
        },
    )
    failed = _count_failed(outcome)
    counts = {
        "OrdersConfirmed": len(outcome.confirmed),
        "OrdersCancelled": len(outcome.cancelled),
        "OrdersFailed": failed,
        "UnitsReleased": outcome.released,
        "BatchSize": len(done) + failed,
    }
    for name, value in counts.items():
        metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)


def _count_failed(outcome: Outcome) -> int:
    """Orders that must come again; a message that holds none counts as one."""
    done = {order.id for order in (*outcome.confirmed, *outcome.cancelled)}
    return sum(
        sum(order.id not in done for order in outcome.orders[failure.message_id])
        if failure.message_id in outcome.orders
        else 1
        for failure in outcome.failures
    )


def _correlation_ids(orders: Sequence[Order]) -> dict[str, str]:
    return {order.id: order.correlation_id for order in orders}
