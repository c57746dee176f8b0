"""What differs between AWS and the emulators, each behind the same face (`Cloud`)."""

from infra.clouds.aws import Aws
from infra.clouds.cloud import Cloud, QueuedMessage
from infra.clouds.ministack import Ministack

__all__ = ["Cloud", "QueuedMessage", "detect"]


def detect(endpoint_url: str) -> Cloud:
    """The cloud at this address; "" means AWS."""
    return Ministack(endpoint_url) if endpoint_url else Aws()
