"""What an answer to a purchase means. It needs no package, so that any load client can use it."""

from enum import StrEnum


class AnswerKind(StrEnum):
    """What an attempt ended in."""

    ACCEPTED = "accepted"
    SOLD_OUT = "sold out"
    THROTTLED = "throttled"  # all execution environments were busy
    REFUSED = "refused"  # another 4xx: the buyer's mistake
    FAILED = "failed"  # 5xx, or no answer: the shop's


def classify_answer(status: int, body: bytes) -> AnswerKind:
    """What an answer to a purchase means, from its HTTP status and body."""
    if status in (201, 202):
        return AnswerKind.ACCEPTED
    if (status == 400 and b"Out of stock" in body) or (status == 409 and b'"sold_out"' in body):
        return AnswerKind.SOLD_OUT
    # LocalStack's Function URL says 500 to an invocation that was throttled.
    if status == 429 or (status >= 500 and b'"TooManyRequestsException"' in body):
        return AnswerKind.THROTTLED
    return AnswerKind.FAILED if status >= 500 else AnswerKind.REFUSED
