"""Reading log events of Lambda functions from CloudWatch Logs."""

from collections.abc import Hashable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_logs.type_defs import FilteredLogEventTypeDef

# Most events in one answer of FilterLogEvents.
PAGE = 10_000


def log_group_of(stack_name: str, function: str) -> str:
    """Return the log group of a function: buy, order, rollback, sweep, …"""
    return f"/aws/lambda/{stack_name}-{function}"


def events_of(
    logs: "CloudWatchLogsClient", group: str, since: int, pattern: str
) -> Iterator["FilteredLogEventTypeDef"]:
    """Yield the events of a log group from a moment on, each once.

    AWS returns a token for what does not fit on a page. ministack returns the oldest events and no
    token: after a full page the next one begins where the last one ended.

    Args:
        since: milliseconds since 1970.
        pattern: a filter pattern of CloudWatch Logs; "" for all events.

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
    """Return what tells an event from all others; ministack gives events no id."""
    unnamed = event.get("logStreamName"), event["timestamp"], event["message"]
    return event.get("eventId") or unnamed
