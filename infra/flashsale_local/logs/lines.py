"""Log lines of functions, from CloudWatch Logs, and of local servers, from files."""

import json
import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError

from flashsale_local.problems import Problem
from flashsale_server.log_events import events_of

# Fields of Powertools' Logger that say the same on every line.
NOISE = {
    "_aws", "Claims", "Failed", "Latency", "route", "location", "timestamp", "service",
    "cold_start",
    "function_name", "function_memory_size",
    "function_arn", "function_request_id",
}  # fmt: skip

# Fields that name every order of a batch.
IDS = {
    "orders", "reserved_orders", "cancelled_orders", "sent_alone", "another_order_has_the_id",
    "failed_orders", "payments",
}  # fmt: skip
# Fields that a short line leaves out, or shows in another way. The path says the generation.
_LONG = IDS | {
    "correlation_id", "order_id", "generation", "failures", "exception", "exception_name",
    "stack_trace", "xray_trace_id",
}  # fmt: skip
_OF_A_BATCH = {"confirmed", "cancelled", "released_units"}
_ALARMING = {"WARNING", "ERROR", "CRITICAL"}
# Lines that the runtime writes, which have no level.
_ALARMING_TEXT = re.compile(r"\b(WARN(ING)?|ERROR|CRITICAL|Traceback|Task timed out)\b")

# Of "2026-11-27 08:00:00,123".
LENGTH_OF_TIME = 23
# What stands before the fields of a plain line (`flashsale_server.edge.log_format`). Text that a
# client chooses has no such character, and JSON has it escaped.
FIELDS = "\t{"


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
        """Whether it is for people: neither a bare metric nor a line of Lambda itself."""
        fields = fields_of(self.message)
        if "_aws" in fields:
            return "message" in fields
        return not self.message.startswith(("START ", "END ", "REPORT ", "INIT_START "))

    @property
    def is_alarming(self) -> bool:
        """Whether it is a warning, an error, or a failure that the runtime reports."""
        level = fields_of(self.message).get("level")
        return level in _ALARMING if level else bool(_ALARMING_TEXT.search(self.message))

    @property
    def short(self) -> str:
        """Level, message and figures, without ids. A batch of orders takes one short line."""
        fields = fields_of(self.message)
        if self.message.partition(FIELDS)[1] or not {"level", "message"} <= fields.keys():
            return self.message
        shown = [f"{name}={value}" for name, value in fields.items() if _is_shown(name, value)]
        decided = Counter(
            one["decision"] for one in fields.get("payments", {}).values() if "decision" in one
        )
        shown += [f"{decision}={count}" for decision, count in decided.items()]
        if failures := fields.get("failures"):
            causes = "; ".join(dict.fromkeys(map(str, failures.values())))
            shown.append(f"failed={len(failures)}: {causes}")
        if lines := str(fields.get("exception", "")).splitlines():
            shown.append(lines[-1])
        return f"{fields['level']:7} {fields['message']}  {' '.join(shown)}".rstrip()

    @property
    def figures(self) -> dict[str, Any]:
        """The line as a JSON object. `fields` has what its function wrote besides."""
        fields = fields_of(self.message)
        at = datetime.fromtimestamp(self.timestamp / 1000, UTC)
        return {
            "timestamp": at.isoformat(timespec="milliseconds"),
            "function": self.function,
            "level": fields.pop("level", ""),
            "message": fields.pop("message", "" if fields else self.message),
            "fields": {n: value for n, value in fields.items() if n not in ("timestamp", "_aws")},
        }

    @property
    def pretty(self) -> str:
        """Level, message and the fields that differ from line to line."""
        text, _, _ = self.message.partition(FIELDS)
        try:
            fields = json.loads(self.message)
            head = f"{fields.pop('level'):7} {fields.pop('message')}"
        except (ValueError, KeyError, AttributeError):
            return text
        rest = " ".join(f"{name}={value}" for name, value in fields.items() if name not in NOISE)
        return f"{head}  {rest}"


def _is_shown(name: str, value: object) -> bool:
    """Return whether a short line has this field. Of the figures of a batch it has no zeros."""
    if name in _OF_A_BATCH and value == 0:
        return False
    return name not in NOISE | _LONG | {"level", "message"}


def minutes_ago(minutes: float) -> int:
    """Return that moment as the log service counts: in milliseconds since 1970."""
    return max(0, int((time.time() - minutes * 60) * 1000))


def read_logs(group: str, since: int, text: str = "") -> Iterator[Line]:
    """Yield the lines of a log group from a moment on.

    Args:
        since: milliseconds since 1970.
        text: lines without it are not needed. An emulator may still send some.

    Raises:
        Problem: there is no such group; nothing is deployed.

    """
    pattern = f'"{text}"' if text else ""
    try:
        for event in events_of(boto3.client("logs"), group, since, pattern):
            yield Line(event["timestamp"], group.rsplit("-", 1)[1], event["message"].rstrip())
    except ClientError as error:
        raise Problem(f"No logs in {group}: {error}", "Deploy first: `make up`.") from error


def read_file(path: Path, function: str) -> Iterator[Line]:
    """Yield the lines of a local server's log that say when they were written.

    They begin with their time (`flashsale_server.edge.log_format`), or they are JSON of Powertools.
    The older files that supervisord keeps (`relay.log.1`) are read as well.
    """
    for file in sorted(path.parent.glob(f"{path.name}*"), reverse=True):
        for line in file.read_text(errors="replace").splitlines():
            at = _leading_moment(line)
            text = line if at is None else line[LENGTH_OF_TIME:].strip()
            at = moment_of(fields_of(line)) if at is None else at
            if at is not None:
                yield Line(round(at * 1000), function, text)


def fields_of(message: str) -> dict[str, Any]:
    """Return the fields of a line that is JSON, or has JSON behind a tab; none of others."""
    _, tab, fields_behind = message.partition(FIELDS)
    try:
        fields = json.loads("{" + fields_behind if tab else message)
    except ValueError:
        return {}
    return fields if isinstance(fields, dict) else {}


def moment_of(fields: Mapping[str, Any]) -> float | None:
    """Return when a line says that it was written, in seconds since 1970; None if it does not."""
    try:
        return datetime.fromisoformat(fields["timestamp"]).timestamp()
    except (KeyError, TypeError, ValueError):
        return None


def _leading_moment(line: str) -> float | None:
    try:
        return datetime.fromisoformat(line[:LENGTH_OF_TIME]).timestamp()
    except ValueError:
        return None
