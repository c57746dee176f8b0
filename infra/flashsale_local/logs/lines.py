"""The functions' log lines, from CloudWatch Logs."""

import json
import time
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import ClientError

from flashsale_local.problems import Problem

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_logs.type_defs import FilteredLogEventTypeDef

# Events that FilterLogEvents gives at once.
PAGE = 10_000
# Fields of Powertools' Logger that say the same on every line.
NOISE = {
    "_aws", "Claims", "Failed", "Latency", "route", "location", "timestamp", "service",
    "cold_start",
    "function_name", "function_memory_size",
    "function_arn", "function_request_id",
}  # fmt: skip

# Of "2026-11-27 08:00:00,123".
LENGTH_OF_TIME = 23


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
        fields = fields_of(self.message)
        if "_aws" in fields:
            return "message" in fields
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


def read_logs(group: str, minutes: float, text: str = "") -> Iterator[Line]:
    """The lines of a log group, from that many minutes ago.

    Args:
        text: the service need not send lines without it (an emulator may send some all the same).

    Raises:
        Problem: there is no such group; nothing is deployed.

    """
    since = max(0, int((time.time() - minutes * 60) * 1000))
    pattern = f'"{text}"' if text else ""
    try:
        for event in events_of(boto3.client("logs"), group, since, pattern):
            yield Line(event["timestamp"], group.rsplit("-", 1)[1], event["message"].rstrip())
    except ClientError as error:
        raise Problem(f"No logs in {group}: {error}", "Deploy first: `make up`.") from error


def events_of(
    logs: "CloudWatchLogsClient", group: str, since: int, pattern: str
) -> Iterator["FilteredLogEventTypeDef"]:
    """The events of a log group from a moment on (milliseconds since 1970), each once.

    AWS gives a token for what does not fit on a page. ministack gives the oldest events and none:
    after a full page the next one begins where the last one ended.
    """
    pages = logs.get_paginator("filter_log_events")
    given: set[Hashable] = set()
    while True:
        count, newest, at_newest = 0, since, set[Hashable]()
        for page in pages.paginate(logGroupName=group, startTime=since, filterPattern=pattern):
            for event in page["events"]:
                count += 1
                if event["timestamp"] > newest:
                    newest, at_newest = event["timestamp"], set()
                if event["timestamp"] == newest:
                    at_newest.add(key_of(event))
                if key_of(event) not in given:
                    yield event
        if count < PAGE or newest == since:
            return
        since, given = newest, at_newest


def key_of(event: "FilteredLogEventTypeDef") -> Hashable:
    """What tells an event from all others; ministack gives them no id."""
    unnamed = event.get("logStreamName"), event["timestamp"], event["message"]
    return event.get("eventId") or unnamed


def read_file(path: Path, function: str) -> Iterator[Line]:
    """The lines of a local server's log that say when they were written.

    Either they begin with their time (`flashsale_server.edge.LOG_FORMAT`) or they are JSON of
    Powertools. What supervisord has put aside (`relay.log.1`) is read as well.
    """
    for file in sorted(path.parent.glob(f"{path.name}*"), reverse=True):
        for line in file.read_text(errors="replace").splitlines():
            fields = fields_of(line)
            at = moment_of(fields) if fields else _leading_moment(line)
            if at is not None:
                text = line if fields else line[LENGTH_OF_TIME:].strip()
                yield Line(round(at * 1000), function, text)


def fields_of(message: str) -> dict[str, Any]:
    """The fields of a line that is JSON; none if it is not."""
    try:
        fields = json.loads(message)
    except ValueError:
        return {}
    return fields if isinstance(fields, dict) else {}


def moment_of(fields: Mapping[str, Any]) -> float | None:
    """When a line was written by its own clock, seconds since 1970; None if it does not say."""
    try:
        return datetime.fromisoformat(fields["timestamp"]).timestamp()
    except (KeyError, TypeError, ValueError):
        return None


def _leading_moment(line: str) -> float | None:
    try:
        return datetime.fromisoformat(line[:LENGTH_OF_TIME]).timestamp()
    except ValueError:
        return None
