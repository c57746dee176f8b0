"""Who has to act on an error of SQS, and whether SQS may have the message all the same.

By the codes that the API reference of SQS documents, and the HTTP status. A code that is not in
this list counts as "not now".
"""

from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ParamValidationError,
)

# The message itself is wrong: it is refused again until the code is changed.
OUR_MISTAKES = frozenset(
    {
        "BatchEntryIdsNotDistinct",
        "BatchRequestTooLong",
        "EmptyBatchRequest",
        "IncompleteSignature",
        "InvalidAction",
        "InvalidAttributeName",
        "InvalidAttributeValue",
        "InvalidBatchEntryId",
        "InvalidMessageContents",
        "InvalidParameterCombination",
        "InvalidParameterValue",
        "InvalidQueryParameter",
        "MalformedQueryString",
        "MessageTooLong",
        "MissingAction",
        "MissingParameter",
        "MissingRequiredParameterException",
        "SerializationException",
        "TooManyEntriesInBatchRequest",
        "UnknownOperationException",
        "UnsupportedOperation",
        "ValidationError",
        "ValidationException",
    }
)


class NeverSent(Exception):
    """A call that was given up before it began."""


def is_our_mistake(error: Exception) -> bool:
    """Whether SQS refuses what was sent, and would do so at any time."""
    if isinstance(error, ClientError):
        return _status(error) < 500 and code_is_our_mistake(error.response["Error"].get("Code", ""))
    return isinstance(error, ParamValidationError)


def code_is_our_mistake(code: str) -> bool:
    """The same for a code, such as that of one entry of a batch."""
    # "AWS.SimpleQueueService.EmptyBatchRequest", "com.amazonaws.sqs#InvalidMessageContents"
    return code.rpartition(".")[2].rpartition("#")[2] in OUR_MISTAKES


def certainly_refused(error: Exception) -> bool:
    """Whether the message is certainly not in the queue: refused, or never sent."""
    if isinstance(error, ClientError):
        # 408: a server that gave the request up, and need not know how far it got.
        return 400 <= _status(error) < 500 and _status(error) != 408
    never_sent = EndpointConnectionError | ConnectTimeoutError | ParamValidationError | NeverSent
    return isinstance(error, never_sent)


def _status(error: ClientError) -> int:
    status: int = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500)
    return status
