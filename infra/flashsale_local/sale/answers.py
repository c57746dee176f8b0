"""What an answer to a purchase means.

This module needs no package, so that every load client can use it.
"""

from enum import StrEnum


class AnswerKind(StrEnum):
    """What the answer to a purchase means."""

    ACCEPTED = "accepted"
    SOLD_OUT = "sold out"
    THROTTLED = "throttled"  # all execution environments were busy
    REFUSED = "refused"  # another 4xx: the client's error
    FAILED = "failed"  # 5xx or no answer: the shop's error


# Answers after which the buyer knows what happened. All others count as errors.
CLEAR = (AnswerKind.ACCEPTED, AnswerKind.SOLD_OUT)


def classify_answer(status: int, body: bytes) -> AnswerKind:
    """Return what an answer with this HTTP status and body means."""
    if status in (201, 202):
        return AnswerKind.ACCEPTED
    if (status == 400 and b"Out of stock" in body) or (status == 409 and b'"sold_out"' in body):
        return AnswerKind.SOLD_OUT
    # LocalStack's Function URL answers 500 if the invocation was throttled.
    if status == 429 or (status >= 500 and b'"TooManyRequestsException"' in body):
        return AnswerKind.THROTTLED
    return AnswerKind.FAILED if status >= 500 else AnswerKind.REFUSED
