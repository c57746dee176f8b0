"""What differs between AWS and the emulators, each behind the same face (`Cloud`)."""

from infra.clouds.aws import Aws
from infra.clouds.cloud import Cloud, QueuedMessage
from infra.clouds.localstack import LocalStack
from infra.clouds.ministack import Ministack

__all__ = ["Cloud", "QueuedMessage", "at"]


def at(endpoint_url: str, emulator: str) -> Cloud:
    """The cloud at this address, where `emulator` answers; "" means AWS."""
    if not endpoint_url:
        return Aws()
    return LocalStack(endpoint_url) if emulator == "localstack" else Ministack(endpoint_url)
