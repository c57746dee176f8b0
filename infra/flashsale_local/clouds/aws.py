"""AWS itself."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import boto3

from flashsale_local.clouds.cloud import IMPATIENT, QueuedMessage
from flashsale_local.clouds.endpoint import Endpoint


class Aws:
    """AWS, with the credentials and the region of the environment."""

    name = "AWS"

    def endpoint(self, outputs: Mapping[str, str], name: str = "ApiUrl") -> Endpoint:
        """The address that AWS gave the API."""
        return Endpoint(outputs[name].rstrip("/"))

    def finish_deploy(self, stack_name: str, parameters: Mapping[str, str]) -> None:
        """Nothing: CloudFormation did it all."""

    def peek(self, queue_url: str, limit: int) -> list[QueuedMessage]:
        """Look by receiving with no visibility timeout: AWS has no other way.

        Each look counts as a receive, so that many of them send a message of the DLQ to parking.
        """
        sqs = boto3.client("sqs")
        found: dict[str, QueuedMessage] = {}
        while len(found) < limit:
            answer = sqs.receive_message(
                QueueUrl=queue_url,
                MaxNumberOfMessages=min(10, limit - len(found)),
                VisibilityTimeout=0,
                WaitTimeSeconds=1,
                MessageSystemAttributeNames=["ApproximateReceiveCount", "SentTimestamp"],
            )
            new = [m for m in answer.get("Messages", []) if m["MessageId"] not in found]
            if not new:
                break
            for message in new:
                found[message["MessageId"]] = QueuedMessage(
                    message["MessageId"],
                    message["Body"],
                    int(message["Attributes"]["ApproximateReceiveCount"]),
                    int(message["Attributes"]["SentTimestamp"]) / 1000,
                )
        return list(found.values())

    def redrive(self, queue_url: str, source_url: str) -> int:
        """Start AWS's own move; it goes on after this returns."""
        sqs = boto3.client("sqs")
        attributes = sqs.get_queue_attributes(
            QueueUrl=queue_url, AttributeNames=["QueueArn", "ApproximateNumberOfMessages"]
        )["Attributes"]
        source = sqs.get_queue_attributes(QueueUrl=source_url, AttributeNames=["QueueArn"])
        sqs.start_message_move_task(
            SourceArn=attributes["QueueArn"], DestinationArn=source["Attributes"]["QueueArn"]
        )
        return int(attributes["ApproximateNumberOfMessages"])

    def oldest_age(self, queue_url: str) -> float | None:
        """CloudWatch's figure, some minutes old: SQS itself does not tell."""
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
