"""Classifies errors of PostgreSQL: retryable, rejected, or a bug in this code.

The SQLSTATE decides, by the list in PostgreSQL's documentation, Appendix A. The class of psycopg's
exception cannot: a read-only server and a misused cursor raise the same one. An unknown state
counts as retryable, because only an unknown server sends it.
"""

from enum import Enum

import psycopg


class ErrorKind(Enum):
    """What the caller can do about an error."""

    RETRYABLE = "retryable"
    """The state of the server. A retry may help."""
    REJECTED = "rejected"
    """The values that were sent. A retry cannot help."""
    BUG = "bug"
    """A bug in this code."""


# Classes of data exceptions and integrity constraints.
_REJECTED = frozenset({"22", "23"})
# Classes of wrong statements, and of statements in a wrong order.
_BUGS = frozenset(
    {"03", "09", "0A", "0B", "0F", "0L", "0P", "0Z", "10", "20", "21", "24", "25", "27", "2B",
     "2D", "2F", "34", "38", "39", "3B", "42", "44", "54", "P0"}
)  # fmt: skip
# States of the server that the standard puts into those classes.
_STATES = frozenset(
    {
        "25006",  # read only: the server became a replica, or was made read only
        "25P03",  # the server ended an idle transaction
        "25P04",  # the server ended a transaction that took too long
        "42501",  # a privilege is missing: the operator grants it
        "42P05",  # a connection pooler mixed up prepared statements
        "54000",  # includes "not accepting commands that assign new transaction IDs" (wraparound)
    }
)


def classify_error(error: psycopg.Error) -> ErrorKind:
    """Return what kind of error this is."""
    state = error.sqlstate
    if state is None:
        return _without_state(error)
    # A migration changed a table after this connection prepared the statement. The SQLSTATE is that
    # of every feature that PostgreSQL lacks.
    if state in _STATES or (state == "0A000" and "cached plan" in str(error)):
        return ErrorKind.RETRYABLE
    if state[:2] in _REJECTED:
        return ErrorKind.REJECTED
    return ErrorKind.BUG if state[:2] in _BUGS else ErrorKind.RETRYABLE


def _without_state(error: psycopg.Error) -> ErrorKind:
    """Classify an error that the driver itself raises."""
    if isinstance(error, psycopg.DataError):  # such as a NUL byte in a text
        return ErrorKind.REJECTED
    mistakes = psycopg.ProgrammingError | psycopg.NotSupportedError | psycopg.InterfaceError
    # Otherwise the connection broke, or the answer is not from PostgreSQL.
    return ErrorKind.BUG if isinstance(error, mistakes) else ErrorKind.RETRYABLE
