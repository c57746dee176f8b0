"""Who has to act on an error of PostgreSQL: nobody or the operator ("not now"), the sender, or we.

By SQLSTATE, from the whole list of PostgreSQL's documentation, Appendix A; never by the driver's
class: psycopg raises a server that is read only and a cursor that we misuse as the same one. A
state that is not in this list counts as "not now", because a server that we do not know sends it.
"""

from enum import Enum

import psycopg


class ErrorKind(Enum):
    """What an error means for who asked."""

    RETRYABLE = "retryable"
    """The server's state: try again."""
    REJECTED = "rejected"
    """The values that were sent: trying again cannot help."""
    BUG = "bug"
    """A bug: this code must change."""


# Data exceptions, and integrity constraints.
_REJECTED = frozenset({"22", "23"})
# Classes of mistakes in what we sent, or in the order in which we sent it.
_BUGS = frozenset(
    {"03", "09", "0A", "0B", "0F", "0L", "0P", "0Z", "10", "20", "21", "24", "25", "27", "2B",
     "2D", "2F", "34", "38", "39", "3B", "42", "44", "54", "P0"}
)  # fmt: skip
# States of the server that the standard counts among those classes.
_STATES = frozenset(
    {
        "25006",  # read only: this server is a replica now, or was made read only
        "25P03",  # the server ended an idle transaction
        "25P04",  # the server ended a transaction that took too long
        "42501",  # a right is missing: the operator grants it
        "42P05",  # a pooler in between mixed up prepared statements
        "54000",  # also "not accepting commands that assign new transaction IDs" (wraparound)
    }
)


def classify_error(error: psycopg.Error) -> ErrorKind:
    """Who has to act on this error."""
    state = error.sqlstate
    if state is None:
        return _without_state(error)
    # A migration changed a table since this connection prepared the statement; the code of it is
    # the one of every feature that PostgreSQL lacks.
    if state in _STATES or (state == "0A000" and "cached plan" in str(error)):
        return ErrorKind.RETRYABLE
    if state[:2] in _REJECTED:
        return ErrorKind.REJECTED
    return ErrorKind.BUG if state[:2] in _BUGS else ErrorKind.RETRYABLE


def _without_state(error: psycopg.Error) -> ErrorKind:
    """Errors that the driver itself raises."""
    if isinstance(error, psycopg.DataError):  # such as a NUL byte in a text
        return ErrorKind.REJECTED
    mistakes = psycopg.ProgrammingError | psycopg.NotSupportedError | psycopg.InterfaceError
    # Else a connection that broke, or an answer that is no PostgreSQL's.
    return ErrorKind.BUG if isinstance(error, mistakes) else ErrorKind.RETRYABLE
