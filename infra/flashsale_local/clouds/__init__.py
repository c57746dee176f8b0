"""What differs between AWS and the emulators, behind one interface (`Cloud`)."""

from flashsale_local.clouds.aws import Aws
from flashsale_local.clouds.cloud import Cloud
from flashsale_local.clouds.localstack import LocalStack
from flashsale_local.clouds.ministack import Ministack

__all__ = ["Cloud", "at"]


def at(endpoint_url: str, emulator: str) -> Cloud:
    """Return the cloud at this address: AWS if it is "", otherwise the emulator of this name."""
    if not endpoint_url:
        return Aws()
    return LocalStack(endpoint_url) if emulator == "localstack" else Ministack(endpoint_url)
