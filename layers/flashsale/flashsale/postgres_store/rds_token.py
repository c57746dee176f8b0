"""IAM tokens, which RDS and RDS Proxy accept instead of a password.

The protocol is "IAM database authentication" of RDS. The token is a presigned request to connect,
signed with the credentials of the function. It can open connections for 15 minutes.
"""

from collections.abc import Awaitable, Callable
from functools import cache

import botocore.session
from botocore.model import ServiceId
from botocore.signers import RequestSigner
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from flashsale.errors import ConfigError

# Seconds; RDS accepts no longer lifetime.
LIFETIME = 900


def conninfo_with_token(url: str) -> Callable[[], Awaitable[str]]:
    """Return a function that makes `url` with a new token as its password, per connection."""
    parts = conninfo_to_dict(url)
    endpoint = f"{parts['host']}:{parts.get('port', 5432)}"

    async def fresh() -> str:
        return make_conninfo(url, password=token(endpoint, str(parts["user"])))

    return fresh


def token(endpoint: str, user: str) -> str:
    """Sign a token for `user` at `endpoint` (host:port), without a network call."""
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
        raise ConfigError(
            "DATABASE_AUTH is iam, and no AWS credentials are found to sign the token; set them"
        )
    return RequestSigner(
        ServiceId("rds-db"),
        session.get_config_variable("region"),
        "rds-db",
        "v4",
        credentials,
        session.get_component("event_emitter"),
    )
