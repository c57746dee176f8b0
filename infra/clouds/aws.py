"""AWS itself."""

from collections.abc import Mapping

import boto3

from infra.clouds.cloud import QueuedMessage
from infra.door import Door


class Aws:
    """AWS, with the credentials and the region of the environment."""

    name = "AWS"

    def door(self, outputs: Mapping[str, str]) -> Door:
        """The address that AWS gave the API."""
        return Door(outputs["ApiUrl"].rstrip("/"))

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
                MessageSystemAttributeNames=["ApproximateReceiveCount"],
            )
            new = [m for m in answer.get("Messages", []) if m["MessageId"] not in found]
            if not new:
                break
            for message in new:
                receives = int(message["Attributes"]["ApproximateReceiveCount"])
                found[message["MessageId"]] = QueuedMessage(
                    message["MessageId"], message["Body"], receives
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
