"""The sweep function: each minute, sends claims again that have stayed unsettled too long.

It also ends payment holds that were not paid in time, refunds payments, and completes the audit.
And it measures what no service of AWS knows and the alarms of `infra/aws/monitoring.yaml` need,
because it runs each minute and can reach the stores.
"""

import os
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from flashsale.deadline import Deadline
from flashsale.errors import OutOfTime, ServiceUnavailable
from flashsale.runtime.process import run
from flashsale.runtime.tracing import traced
from flashsale.usecases.books import Books
from flashsale.usecases.health import HealthReport, read_health
from flashsale.usecases.holds import expire_holds
from flashsale.usecases.pauses import record_pauses
from flashsale.usecases.provider_ends import refund_payments
from flashsale.usecases.relay import sweep

# Seconds that the sweep leaves for measuring.
MEASURING = 20.0
# Seconds for one product, while SQS does not answer.
LONGEST_STEP = 5.0

logger = Logger()
metrics = Metrics()


@traced(os.environ)
@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Sweep once, then measure, even if the sweep failed. The event is not read.

    The next minute's sweep continues with what this one had no time for.
    """
    swept, end = 0, Deadline.of(context, reserve=MEASURING)
    stop = Deadline.of(context, reserve=MEASURING + LONGEST_STEP)
    _complete_the_audit(end)
    # Over slow connections each of these could take the time of those that follow.
    _expire_holds(end, stop.halfway)
    _refund_payments(end, stop.halfway)
    try:
        swept = run(lambda services: end.bound(sweep(services, deadline=stop)))
        logger.info("swept", extra={"claims": swept})
        _count(ClaimsSwept=swept)
    except OutOfTime as error:
        logger.warning("the sweep was cut off: %s", error)
    finally:
        rest = Deadline.of(context)
        _record(run(lambda services: read_health(services, rest)))
    return {"swept": swept}


def _complete_the_audit(end: Deadline) -> None:
    """Write pauses that were made while PostgreSQL was down to the audit, if it is back."""
    try:
        if recorded := run(lambda services: end.bound(record_pauses(services))):
            logger.info("the audit is complete", extra={"pauses": recorded})
    except ServiceUnavailable as error:
        logger.warning("pauses stay in Redis until the audit can be written: %s", error)


def _expire_holds(end: Deadline, stop: Deadline) -> None:
    """Give the units of holds back that were not paid in time. The next sweep does the rest."""
    try:
        if released := run(lambda services: end.bound(expire_holds(services, deadline=stop))):
            logger.info("holds expired", extra={"units": released})
            _count(HoldUnitsReleased=released)
    except (ServiceUnavailable, OutOfTime) as error:
        logger.warning("holds that were not paid stay held until the next sweep: %s", error)


def _refund_payments(end: Deadline, stop: Deadline) -> None:
    """Refund what no order was sold for, if there is a provider that can be asked."""
    try:
        if refunded := run(lambda services: end.bound(refund_payments(services, stop))):
            logger.info("payments refunded", extra={"payments": refunded})
    except (ServiceUnavailable, OutOfTime) as error:
        logger.warning("payments are refunded by a later sweep: %s", error)


def _record(report: HealthReport) -> None:
    for books in report.books or ():
        _record_books(books)
    _count(RedisUp=report.redis_up, PostgreSQLUp=report.postgresql_up, SqsUp=report.sqs_up)
    if report.oldest_claim is not None:
        _measure(OldestClaimAge=report.oldest_claim)
    if report.dead_letters is not None:
        _count(DeadLetters=report.dead_letters)
    if holds := report.holds:
        _measure(HoldOverdueSeconds=holds.overdue, RefundDueOldestSeconds=holds.refund_due)
        _count(HoldsWithoutOrder=holds.without_order)
    if report.rooms is not None:
        _record_rooms(report)


def _record_books(books: Books) -> None:
    # The product is a field to search for, not a dimension: each value of one is a paid metric.
    metrics.add_metadata("product_id", books.product_id)
    _count(
        InvariantBroken=books.broken,
        UnitsUnsettled=books.unsettled,
        UnitsLost=books.lost,
        UnitsOversold=books.oversold,
    )
    metrics.flush_metrics()


def _record_rooms(report: HealthReport) -> None:
    rooms = [room for room in report.rooms or () if not room.ended]
    for room in rooms:  # lines for the dashboard's table: a product is no dimension here either
        said = {
            "room": room.product_id,
            "waiting": room.waiting,
            "inside": room.inside,
            "max_inside": room.max_inside,
            "calls_a_minute": round(room.rate * 60, 1),
            "why": room.why,
            "trouble": room.trouble or "",
        }
        logger.info("a waiting room", extra=said)
    troubles = [str(room.trouble or "") for room in rooms]
    _count(
        RoomsPaused=troubles.count("paused"),
        RoomsStuck=troubles.count("stuck"),
        RoomUsersWaiting=sum(room.waiting for room in rooms),
        RoomUsersInside=sum(room.inside for room in rooms),
    )


def _count(**counts: int) -> None:
    for name, count in counts.items():
        metrics.add_metric(name=name, unit=MetricUnit.Count, value=int(count))


def _measure(**seconds: float) -> None:
    for name, value in seconds.items():
        metrics.add_metric(name=name, unit=MetricUnit.Seconds, value=round(value, 1))
