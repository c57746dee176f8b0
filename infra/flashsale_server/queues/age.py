"""How old the oldest message of a queue is."""

import time
from datetime import UTC, datetime, timedelta

import boto3

from flashsale_server.clients import IMPATIENT, PATIENCE
from flashsale_server.queues.emulators import EmulatorQueues


def oldest_age(queue_url: str, emulator: EmulatorQueues | None) -> float | None:
    """Return the seconds since the oldest message was sent.

    Returns:
        None without any message, or where nothing tells.

    """
    if emulator is None:
        return _oldest_age_on_aws(queue_url)
    messages = emulator.messages(queue_url, PATIENCE)
    return max(0.0, time.time() - min(m.sent for m in messages)) if messages else None


def _oldest_age_on_aws(queue_url: str) -> float | None:
    """Return CloudWatch's figure, which is some minutes old: SQS itself does not tell."""
    now = datetime.now(UTC)
    points = boto3.client("cloudwatch", config=IMPATIENT).get_metric_statistics(
        Namespace="AWS/SQS",
        MetricName="ApproximateAgeOfOldestMessage",
        Dimensions=[{"Name": "QueueName", "Value": queue_url.rpartition("/")[2]}],
        StartTime=now - timedelta(minutes=5),
        EndTime=now,
        Period=60,
        Statistics=["Maximum"],
    )["Datapoints"]
    newest = max(points, key=lambda point: point["Timestamp"], default=None)
    return None if newest is None else float(newest["Maximum"])
