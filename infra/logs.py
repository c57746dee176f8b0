"""The functions' log lines, from CloudWatch Logs."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import boto3
from botocore.exceptions import ClientError

from infra.problems import Problem

# Fields of Powertools' Logger that say the same on every line.
NOISE = {
    "_aws", "Claims", "location", "timestamp", "service", "cold_start",
    "function_name", "function_memory_size",
    "function_arn", "function_request_id",
}  # fmt: skip


@dataclass(frozen=True, order=True)
class Line:
    """One line of a function's log; `timestamp` is in milliseconds."""

    timestamp: int
    function: str
    message: str

    @property
    def clock(self) -> str:
        """The time of day, UTC."""
        return datetime.fromtimestamp(self.timestamp / 1000, UTC).strftime("%H:%M:%S.%f")[:-3]

    @property
    def is_ours(self) -> bool:
        """Whether a person wants to read it: neither a bare metric nor a line of Lambda itself."""
        if self.message.startswith('{"_aws"'):
            return '"message":' in self.message
        return not self.message.startswith(("START ", "END ", "REPORT ", "INIT_START "))

    @property
    def pretty(self) -> str:
        """Level, message and the fields that differ from line to line."""
        try:
            fields = json.loads(self.message)
            head = f"{fields.pop('level'):7} {fields.pop('message')}"
        except (ValueError, KeyError, AttributeError):
            return self.message
        rest = " ".join(f"{name}={value}" for name, value in fields.items() if name not in NOISE)
        return f"{head}  {rest}"


def read_logs(group: str, minutes: float) -> Iterator[Line]:
    """The lines of a log group, from that many minutes ago.

    Raises:
        Problem: there is no such group; nothing is deployed.

    """
    since = int((time.time() - minutes * 60) * 1000)
    pages = boto3.client("logs").get_paginator("filter_log_events")
    try:
        for page in pages.paginate(logGroupName=group, startTime=since):
            for event in page["events"]:
                yield Line(event["timestamp"], group.rsplit("-", 1)[1], event["message"].rstrip())
    except ClientError as error:
        raise Problem(f"No logs in {group}: {error}", "Deploy first: `make up`.") from error
