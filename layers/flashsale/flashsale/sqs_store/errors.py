"""Classifies errors of SQS: is it a bug, and may SQS have the message nevertheless?

The codes are those of the API reference of SQS; the HTTP status counts, too. An unknown code counts
as a state of SQS that a retry may overcome.
"""

from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
)

# The message itself is wrong. SQS rejects it again until this code is changed.
BUGS = frozenset(
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
    """A call that was abandoned before it was sent."""


class EntryRefused(Exception):
    """SQS rejected one message of a call, by the sender's fault. The text begins with a code."""

    @property
    def code(self) -> str:
        """The code of SQS."""
        return str(self).partition(":")[0]


_NEVER_SENT = (
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    EntryRefused,
    NeverSent,
    NoCredentialsError,
    ParamValidationError,
)


def is_bug(error: Exception) -> bool:
    """Return whether SQS rejects the request itself, and would do so at any time."""
    if isinstance(error, EntryRefused):
        return code_is_bug(error.code)
    if isinstance(error, ClientError):
        return _status(error) < 500 and code_is_bug(error.response["Error"].get("Code", ""))
    return isinstance(error, ParamValidationError)


def code_is_bug(code: str) -> bool:
    """Return whether a code, such as that of one entry of a batch, means a bug."""
    # "AWS.SimpleQueueService.EmptyBatchRequest", "com.amazonaws.sqs#InvalidMessageContents"
    return code.rpartition(".")[2].rpartition("#")[2] in BUGS


def certainly_refused(error: Exception) -> bool:
    """Return whether the message is certainly not in the queue: rejected, or never sent."""
    if isinstance(error, ClientError):
        # 408: the server gave up, and may not know how far the request got.
        return 400 <= _status(error) < 500 and _status(error) != 408
    return isinstance(error, _NEVER_SENT)


def _status(error: ClientError) -> int:
    status: int = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500)
    return status
