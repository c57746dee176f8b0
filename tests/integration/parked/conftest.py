"""The queues on the emulator, without functions, so that messages stay."""

import json
import os
import subprocess
import sys
import uuid
from pathlib import Path

import boto3
import pytest

from flashsale.domain.messages import Envelope, QueuedOrder
from flashsale_local.deployment.target import Target
from tests.helpers.support import USERS, eventually

FLASHSALE = Path(sys.executable).parent / "flashsale"
NAMES = {
    "OrdersQueue": "orders",
    "DeadLetterQueue": "orders-dlq",
    "ParkingQueue": "orders-parking",
    "PaymentsQueue": "payments",
    "PaymentsDeadLetterQueue": "payments-dlq",
}


@pytest.fixture(scope="session")
def with_queues(stack, migrated):
    """Deploy only the queues."""
    stack.start(stack.emulator)
    target = stack.target("flashsale-queues")
    template = {
        "Resources": {
            name: {
                "Type": "AWS::SQS::Queue",
                "Properties": {"QueueName": f"{target.stack_name}-{queue}"},
            }
            for name, queue in NAMES.items()
        },
        "Outputs": {f"{name}Url": {"Value": {"Ref": name}} for name in NAMES},
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in target.aws_environment.items():
            patch.setenv(name, value)
        cloud = boto3.client("cloudformation")
        cloud.create_stack(StackName=target.stack_name, TemplateBody=json.dumps(template))

        def outputs():
            (made,) = cloud.describe_stacks(StackName=target.stack_name)["Stacks"]
            return made.get("Outputs")

        eventually(outputs)
        assert len(target.queues) == len(NAMES)
    return target


@pytest.fixture
def target(with_queues: Target, monkeypatch) -> Target:
    """Return this deployment with empty queues, and point AWS clients to it."""
    for name, value in with_queues.aws_environment.items():
        monkeypatch.setenv(name, value)
    sqs = boto3.client("sqs")
    for url in with_queues.queues.values():
        sqs.purge_queue(QueueUrl=url)
    return with_queues


@pytest.fixture
def put(target):
    """Return a function that puts messages into a queue and returns their ids."""

    def send(queue, *messages):
        sqs, url = boto3.client("sqs"), target.queues[queue]
        bodies = [m if isinstance(m, str) else m.model_dump_json() for m in messages]
        return [sqs.send_message(QueueUrl=url, MessageBody=body)["MessageId"] for body in bodies]

    return send


@pytest.fixture
def flashsale(target):
    """Return a function that runs the command on these queues and stores."""

    def run(*arguments, typed="", **variables):
        addresses = {
            "REDIS_URL": target.redis_url,
            "DATABASE_URL": target.database_url,
            "FLASHSALE_STACK": target.stack_name,
            **variables,
        }
        return subprocess.run(
            [FLASHSALE, *arguments],
            env={**os.environ, **target.aws_environment, **addresses, "COLUMNS": "200"},
            input=typed, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    return run


def order_of(product_id, user_id=USERS[0], **fields):
    return QueuedOrder(
        id=str(uuid.uuid4()), product_id=product_id, user_id=user_id, generation=4, **fields
    )


def envelope_of(*orders):
    return Envelope.of(orders)
