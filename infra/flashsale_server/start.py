"""What each process of the image does first: it checks its settings, and says in a line if it ends.

Without these checks, a worker that lacks a variable ends with a traceback, and granian starts the
next one.
"""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, InvalidRegionError
from botocore.session import get_session

from flashsale.config import Settings
from flashsale.errors import ConfigError


@contextmanager
def or_say_why(process: str) -> Iterator[None]:
    """Turn a ConfigError into one line on the standard error and exit status 1."""
    try:
        yield
    except ConfigError as error:
        sys.exit(f"The {process} does not start: {error}")


def check_aws() -> None:
    """Check the variables of AWS that a client of SQS reads.

    It looks for no credentials: that may need the network, and roles have theirs later.

    Raises:
        ConfigError: names the variable, as far as boto3 does.

    """
    session = get_session()
    try:
        if not session.get_config_variable("region"):
            raise ConfigError("AWS_DEFAULT_REGION is not set; it should look like us-east-1")
        session.set_credentials("-", "-")
        session.create_client("sqs")
    except InvalidRegionError as error:
        raise ConfigError(
            "AWS_DEFAULT_REGION is malformed; it should look like us-east-1"
        ) from error
    except (BotoCoreError, ValueError) as error:
        if str(error).startswith("Invalid endpoint"):
            raise ConfigError(
                "AWS_ENDPOINT_URL is malformed; it should look like http://host:4566, "
                "or be left out on AWS"
            ) from error
        raise ConfigError(f"boto3 rejects the AWS_… variables: {error}") from error


def settings_that_send(env: Mapping[str, str]) -> Settings:
    """Parse the settings of a process that sends orders: the edge, and the relay process.

    Raises:
        ConfigError: names the variable and what it should look like.

    """
    settings = Settings.from_mapping(env)
    if not settings.orders_queue_url:
        raise ConfigError(
            "ORDERS_QUEUE_URL is not set; it should look like "
            "https://sqs.us-east-1.amazonaws.com/123456789012/flashsale-orders"
        )
    check_aws()
    return settings
