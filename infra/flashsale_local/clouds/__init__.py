"""What differs between AWS and the emulators, each behind the same face (`Cloud`)."""

from flashsale_local.clouds.aws import Aws
from flashsale_local.clouds.cloud import Cloud, QueuedMessage
from flashsale_local.clouds.localstack import LocalStack
from flashsale_local.clouds.ministack import Ministack

__all__ = ["Cloud", "QueuedMessage", "at"]


def at(endpoint_url: str, emulator: str) -> Cloud:
    """The cloud at this address, where `emulator` answers; "" means AWS."""
    if not endpoint_url:
        return Aws()
    return LocalStack(endpoint_url) if emulator == "localstack" else Ministack(endpoint_url)
