"""Classifies errors of Redis: a state of the server (a retry may help), or a bug in this code.

The codes are those that Redis and Valkey document or send: the first word of an error. An unknown
code counts as a state of the server, because only an unknown server sends it.
"""

import re

from redis import exceptions

# The request itself is wrong. It fails again until this code is changed.
BUGS = frozenset(
    {"ERR", "WRONGTYPE", "CROSSSLOT", "NOGROUP", "BUSYGROUP", "BUSYKEY", "NOTBUSY", "NOPROTO"}
)
# Redis has no code for these states. It sends ERR, as for every wrong request.
_STATES_BELOW_ERR = re.compile(
    r"max number of clients|script killed|killed by user|operation not permitted|invalid password"
    r"|without any password|no password is set|db index is out of range|cluster support disabled"
    r"|not allowed in cluster mode|failover",
    re.IGNORECASE,
)
# Up to Redis 6, an error inside a script has the code ERR, and its own code after the line number.
_IN_SCRIPT = re.compile(r"@user_script: ?\d+: -?([A-Z]{3,}) (?!.*@user_script: ?\d+: -?[A-Z]{3,} )")
# redis-py puts this before the error of a command in a pipeline.
_PIPELINE = re.compile(r"Command # \d+ .*? of pipeline caused error: [\[('\"]*", re.DOTALL)
_CODE = re.compile(r"-?([A-Z][A-Z0-9]{2,})\b")

# No response, or one that redis-py cannot read.
_NO_ANSWER = (
    exceptions.ConnectionError,
    exceptions.TimeoutError,
    exceptions.InvalidResponse,
    exceptions.RedisClusterException,
    exceptions.ClusterError,
    OSError,
)


def is_retryable(error: Exception) -> bool:
    """Return whether the same request may succeed later, with this version of the code."""
    if not isinstance(error, exceptions.ResponseError):
        return isinstance(error, _NO_ANSWER)
    code = code_of(error)
    return code not in BUGS or (code == "ERR" and bool(_STATES_BELOW_ERR.search(str(error))))


def code_of(error: exceptions.ResponseError) -> str:
    """Return the code of an error, such as "MISCONF"; "" if it has none."""
    text = _PIPELINE.sub("", str(error), count=1)
    if inner := _IN_SCRIPT.search(text):
        return inner[1]
    # redis-py removes the codes that it knows from the text.
    code = getattr(error, "status_code", None) or ""
    found = _CODE.match(text)
    return str(code) or (found[1] if found else "")
