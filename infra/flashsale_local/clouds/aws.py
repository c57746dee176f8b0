"""AWS itself."""

from collections.abc import Mapping

import boto3

from flashsale_local.deployment.endpoint import Endpoint
from flashsale_server.queues.messages import QueuedMessage


class Aws:
    """AWS, with the credentials and the region of the environment."""

    name = "AWS"

    def endpoint(self, outputs: Mapping[str, str], name: str = "ApiUrl") -> Endpoint:
        """Return the address that AWS gave the API."""
        return Endpoint(outputs[name].rstrip("/"))

    def finish_deploy(self, stack_name: str, parameters: Mapping[str, str]) -> None:
        """Do nothing: CloudFormation applied the whole template."""

    def peek(self, queue_url: str, limit: int) -> list[QueuedMessage]:
        """Receive messages with a visibility timeout of 0: AWS has no other way to read them.

        Each call counts as a receive, so many calls send a message of the DLQ to parking.
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
        """Start a message move task of SQS, which continues after this returns."""
        sqs = boto3.client("sqs")
        attributes = sqs.get_queue_attributes(
            QueueUrl=queue_url, AttributeNames=["QueueArn", "ApproximateNumberOfMessages"]
        )["Attributes"]
        source = sqs.get_queue_attributes(QueueUrl=source_url, AttributeNames=["QueueArn"])
        sqs.start_message_move_task(
            SourceArn=attributes["QueueArn"], DestinationArn=source["Attributes"]["QueueArn"]
        )
        return int(attributes["ApproximateNumberOfMessages"])
