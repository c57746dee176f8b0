"""Who has to act on an error of Redis: nobody or the operator ("not now"), or we.

The codes are those that Redis and Valkey document or send: the first word of an error. A code that
is not in this list is a state of the server, because a server that we do not know sends it.
"""

import re

from redis import exceptions

# The request is wrong, whatever the server's state is: it fails again until the code is changed.
OUR_MISTAKES = frozenset(
    {"ERR", "WRONGTYPE", "CROSSSLOT", "NOGROUP", "BUSYGROUP", "BUSYKEY", "NOTBUSY", "NOPROTO"}
)
# Redis has no code for these states: it says ERR, like of every wrong request.
_STATES_BELOW_ERR = re.compile(
    r"max number of clients|script killed|killed by user|operation not permitted|invalid password"
    r"|without any password|no password is set|db index is out of range|cluster support disabled"
    r"|not allowed in cluster mode|failover",
    re.IGNORECASE,
)
# Up to Redis 6 an error inside a script has the code ERR, and its own code behind the line.
_IN_SCRIPT = re.compile(r"@user_script: ?\d+: -?([A-Z]{3,}) (?!.*@user_script: ?\d+: -?[A-Z]{3,} )")
# redis-py puts this before the error of a command in a pipeline.
_PIPELINE = re.compile(r"Command # \d+ .*? of pipeline caused error: [\[('\"]*", re.DOTALL)
_CODE = re.compile(r"-?([A-Z][A-Z0-9]{2,})\b")

# No answer, or none that redis-py can read.
_NO_ANSWER = (
    exceptions.ConnectionError,
    exceptions.TimeoutError,
    exceptions.InvalidResponse,
    exceptions.RedisClusterException,
    exceptions.ClusterError,
    OSError,
)


def not_now(error: Exception) -> bool:
    """Whether the same request may succeed later, without another version of this code."""
    if not isinstance(error, exceptions.ResponseError):
        return isinstance(error, _NO_ANSWER)
    code = code_of(error)
    return code not in OUR_MISTAKES or (
        code == "ERR" and bool(_STATES_BELOW_ERR.search(str(error)))
    )


def code_of(error: exceptions.ResponseError) -> str:
    """The code of an error, as in "MISCONF"; "" where it has none."""
    text = _PIPELINE.sub("", str(error), count=1)
    if inner := _IN_SCRIPT.search(text):
        return inner[1]
    # redis-py cuts the code off the text of those that it knows.
    code = getattr(error, "status_code", None) or ""
    found = _CODE.match(text)
    return str(code) or (found[1] if found else "")
