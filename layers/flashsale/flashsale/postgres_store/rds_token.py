"""A way into PostgreSQL without a password: an IAM token, which RDS and RDS Proxy take instead.

The protocol is RDS' own, "IAM database authentication": the token is a presigned request to
connect, signed with the function's credentials; for 15 minutes a connection can begin with it.
"""

from collections.abc import Awaitable, Callable
from functools import cache

import botocore.session
from botocore.model import ServiceId
from botocore.signers import RequestSigner
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from flashsale.errors import ConfigError

# Seconds; RDS takes no longer ones.
LIFETIME = 900


def conninfo_with_token(url: str) -> Callable[[], Awaitable[str]]:
    """What a connection pool asks each time it dials: `url` with a fresh token as its password."""
    parts = conninfo_to_dict(url)
    endpoint = f"{parts['host']}:{parts.get('port', 5432)}"

    async def fresh() -> str:
        return make_conninfo(url, password=token(endpoint, str(parts["user"])))

    return fresh


def token(endpoint: str, user: str) -> str:
    """A token for `user` at `endpoint` (host:port), signed here: nobody is asked."""
    request = {
        "url": f"https://{endpoint}/?Action=connect&DBUser={user}",
        "method": "GET",
        "body": {},
        "headers": {},
        "context": {},
    }
    signed = _signer().generate_presigned_url(
        request, operation_name="connect", expires_in=LIFETIME, signing_name="rds-db"
    )
    return str(signed).removeprefix("https://")


@cache
def _signer() -> RequestSigner:
    session = botocore.session.get_session()
    credentials = session.get_credentials()
    if credentials is None:
        raise ConfigError("DATABASE_AUTH is iam, and there are no AWS credentials to sign with")
    return RequestSigner(
        ServiceId("rds-db"),
        session.get_config_variable("region"),
        "rds-db",
        "v4",
        credentials,
        session.get_component("event_emitter"),
    )
