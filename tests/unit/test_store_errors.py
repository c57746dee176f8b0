"""Classification of store errors, by the codes that the servers document."""

import psycopg
import pytest
from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
)
from botocore.parsers import ResponseParserError
from psycopg import errors as states
from redis import exceptions
from redis._parsers.base import BaseParser

from flashsale.postgres_store.errors import ErrorKind, classify_error
from flashsale.redis_store.errors import code_of, is_retryable
from flashsale.sqs_store.errors import certainly_refused, is_bug

# Up to Redis 6.
IN_OLD_SCRIPT = "ERR Error running script (call to f_1b2c): @user_script:4: "
# As in the sources of Redis 6 to 8 and Valkey 7 to 9.
STATES_OF_REDIS = [
    "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist",
    "MISCONF Errors writing to the AOF file: No space left on device",
    "NOREPLICAS Not enough good replicas to write.",
    "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
    "LOADING Redis is loading the dataset in memory",
    "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
    "READONLY You can't write against a read only replica.",
    "OOM command not allowed when used memory > 'maxmemory'.",
    "OOM command not allowed when used memory > 'maxmemory'. script: 1b2c, on @user_script:4.",
    "TRYAGAIN Multiple keys request during rehashing of slot",
    "CLUSTERDOWN Hash slot not served",
    "CLUSTERDOWN The cluster is down and only accepts read commands",
    "MOVED 3999 127.0.0.1:6381",
    "ASK 3999 127.0.0.1:6381",
    "REDIRECT 127.0.0.1:6381",
    "UNKILLABLE Sorry the script already executed write commands against the dataset.",
    "UNBLOCKED force unblock from blocking operation, instance state changed",
    "NOAUTH Authentication required.",
    "WRONGPASS invalid username-password pair or user is disabled.",
    "NOPERM User flashsale has no permissions to run the 'xadd' command",
    "DENIED Redis is running in protected mode",
    "NOSCRIPT No matching script.",
    "NOMASTERLINK Can't SYNC while not connected with my master",
    "NOGOODSLAVE No suitable replica to promote",
    "NOQUORUM Not enough available voters",
    "INPROG Failover already in progress",
    "IOERR error or timeout writing to target instance",
    "ERR max number of clients reached",
    "ERR max number of clients + cluster connections reached",
    "ERR operation not permitted",
    "ERR DB index is out of range",
    "ERR SELECT is not allowed in cluster mode",
    "ERR This instance has cluster support disabled",
    IN_OLD_SCRIPT + "Script killed by user with SCRIPT KILL.",
    IN_OLD_SCRIPT + "@user_script: 4: -OOM command not allowed when used memory > 'maxmemory'.",
    IN_OLD_SCRIPT + "@user_script: 4: -MISCONF Redis is configured to save RDB snapshots, but",
    "QUOTAEXCEEDED a code that nobody has heard of",
    "something without a code",
]  # fmt: skip
BUGS_IN_REDIS = [
    "WRONGTYPE Operation against a key holding the wrong kind of value",
    "WRONGTYPE Operation against a key … script: 1b2c, on @user_script:4.",
    "ERR wrong number of arguments for 'set' command",
    "ERR syntax error",
    "ERR value is not an integer or out of range",
    "ERR unknown command 'SETT', with args beginning with:",
    "ERR user_script:4: attempt to index a nil value script: 1b2c, on @user_script:4.",
    "ERR Error compiling script (new function): user_script:1: unexpected symbol",
    "ERR Error running script (call to f_1b2c): @user_script:4: WRONGTYPE Operation against a key",
    "CROSSSLOT Keys in request don't hash to the same slot",
    "NOGROUP No such key 'x' or consumer group 'relay'",
    "BUSYGROUP Consumer Group name already exists",
    "NOPROTO unsupported protocol version",
]


@pytest.mark.parametrize("text", STATES_OF_REDIS)
def test_a_state_of_redis_is_retryable(text):
    assert is_retryable(BaseParser.parse_error(text))


@pytest.mark.parametrize("text", BUGS_IN_REDIS)
def test_a_wrong_request_to_redis_is_a_bug(text):
    assert not is_retryable(BaseParser.parse_error(text))


def test_the_code_is_found_behind_the_drivers_prefix():
    error = BaseParser.parse_error("MISCONF Redis is configured to save RDB snapshots")
    error.args = (f"Command # 1 (GET {{a}}:stock) of pipeline caused error: {error.args}",)

    assert code_of(error) == "MISCONF"


@pytest.mark.parametrize(
    ("error", "retryable"),
    [
        (exceptions.ConnectionError("refused"), True),
        (exceptions.TimeoutError("no answer"), True),
        (exceptions.AuthenticationError("wrong password"), True),
        (exceptions.BusyLoadingError("loading"), True),
        (exceptions.InvalidResponse("Protocol Error"), True),
        (exceptions.SlotNotCoveredError("nobody has this slot"), True),
        (exceptions.ClusterError("TTL exhausted"), True),
        (OSError("no route to host"), True),
        (TimeoutError(), True),
        (exceptions.DataError("Invalid input of type: 'NoneType'"), False),
        (TypeError("a bug"), False),
    ],
    ids=repr,
)
def test_errors_that_the_driver_of_redis_raises_itself(error, retryable):
    assert is_retryable(error) is retryable


# SQLSTATE: classes and codes of PostgreSQL 18, Appendix A.
KINDS = {
    ErrorKind.RETRYABLE: """
        08000 08003 08006 08001 08004 08007 08P01 25006 25P03 25P04 26000 28000 28P01 3D000 3F000
        40000 40001 40002 40003 40P01 42501 42P05 53000 53100 53200 53300 53400 54000
        55000 55006 55P02 55P03 55P04 57000 57014 57P01 57P02 57P03 57P04 57P05
        58000 58030 58P01 58P02 58P03 72000 F0000 F0001 HV000 HV00N XX000 XX001 XX002
        99999 ZZ000 K1234
    """,
    ErrorKind.REJECTED: """
        22000 22001 22003 22007 22021 22P02 22P05 23000 23001 23502 23503 23505 23514 23P01
    """,
    ErrorKind.BUG: """
        03000 09000 0A000 0B000 0F000 0L000 0P000 0Z000 10608 20000 21000 24000 25000 25001 25P01
        25P02 27000 2B000 2D000 2F000 34000 38000 39000 3B000 42000 42601 42703 42883 42P01 42P02
        42P18 44000 54001 54011 54023 P0000 P0001
    """,
}


def postgresql(state, text="an error"):
    """Return the error that psycopg raises for this SQLSTATE, even for an unknown code."""
    try:
        kind = states.lookup(state)
    except KeyError:
        kind = type("New", (states.get_base_exception(state),), {"sqlstate": state})
    return kind(text)


@pytest.mark.parametrize(
    ("state", "kind"),
    [(state, kind) for kind, listed in KINDS.items() for state in listed.split()],
)
def test_the_kind_of_a_state_of_postgresql(state, kind):
    assert classify_error(postgresql(state)) is kind


def test_every_state_that_the_driver_knows_has_a_kind_by_its_code():
    for state, kind in states._sqlcodes.items():
        assert isinstance(classify_error(kind("an error")), ErrorKind), state
    assert states.ReadOnlySqlTransaction.__mro__[1] is states.InFailedSqlTransaction.__mro__[1]


def test_a_statement_outdated_by_a_migration_is_prepared_again():
    text = "cached plan must not change result type"

    assert classify_error(postgresql("0A000", text)) is ErrorKind.RETRYABLE


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (
            psycopg.OperationalError("server closed the connection unexpectedly"),
            ErrorKind.RETRYABLE,
        ),
        (psycopg.InternalError("bad poll status: 7"), ErrorKind.RETRYABLE),
        (psycopg.DatabaseError("lost synchronization with server"), ErrorKind.RETRYABLE),
        (psycopg.DataError("PostgreSQL text fields cannot contain NUL"), ErrorKind.REJECTED),
        (psycopg.ProgrammingError("the query has 1 placeholder"), ErrorKind.BUG),
        (psycopg.InterfaceError("the cursor is closed"), ErrorKind.BUG),
        (psycopg.NotSupportedError("pipeline mode"), ErrorKind.BUG),
    ],
    ids=repr,
)
def test_errors_that_the_driver_of_postgresql_raises_itself(error, kind):
    assert classify_error(error) is kind


def answered(code, status):
    metadata = {"HTTPStatusCode": status}
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": metadata}, "SendMessage")


@pytest.mark.parametrize(
    ("error", "refused", "bug"),
    [
        (answered("ThrottlingException", 400), True, False),
        (answered("RequestThrottled", 403), True, False),
        (answered("OverLimit", 403), True, False),
        (answered("AccessDenied", 403), True, False),
        (answered("ExpiredToken", 403), True, False),
        (answered("InvalidClientTokenId", 403), True, False),
        (answered("RequestExpired", 400), True, False),
        (answered("KmsThrottled", 400), True, False),
        (answered("AWS.SimpleQueueService.NonExistentQueue", 400), True, False),
        (answered("404", 404), True, False),
        (answered("BrandNewCode", 400), True, False),
        (answered("RequestTimeout", 408), False, False),
        (answered("InternalError", 500), False, False),
        (answered("ServiceUnavailable", 503), False, False),
        (answered("InvalidMessageContents", 400), True, True),
        (answered("com.amazonaws.sqs#InvalidMessageContents", 400), True, True),
        (answered("AWS.SimpleQueueService.BatchRequestTooLong", 400), True, True),
        (answered("MissingParameter", 400), True, True),
        (answered("ValidationException", 500), False, False),
        (EndpointConnectionError(endpoint_url="http://x"), True, False),
        (ConnectTimeoutError(endpoint_url="http://x"), True, False),
        (ReadTimeoutError(endpoint_url="http://x"), False, False),
        (ResponseParserError("no XML"), False, False),
        (AttributeError("'list' object has no attribute 'get'"), False, False),
        (TimeoutError("no answer within 2.0 s"), False, False),
    ],
    ids=repr,
)
def test_the_kind_of_an_error_of_sqs(error, refused, bug):
    assert certainly_refused(error) is refused
    assert is_bug(error) is bug
