"""LocalStack: its Function URLs and its debug endpoint for queues. All else works as on AWS."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from flashsale_local.clouds.aws import Aws
from flashsale_local.clouds.cloud import reserve_concurrency
from flashsale_local.deployment.endpoint import Endpoint
from flashsale_server.queues.emulators import LocalStackQueues
from flashsale_server.queues.messages import QueuedMessage


class LocalStack(Aws):
    """LocalStack at one address."""

    name = "LocalStack"

    def __init__(self, endpoint_url: str) -> None:
        self._endpoint_url = endpoint_url.rstrip("/")
        self._queues = LocalStackQueues(endpoint_url)

    def endpoint(self, outputs: Mapping[str, str], name: str = "ApiUrl") -> Endpoint:
        """Return LocalStack's address with the Host header of the Function URL.

        LocalStack tells Function URLs apart by their hosts, which no name server here knows.
        """
        return Endpoint(self._endpoint_url, {"host": urlsplit(outputs[name]).netloc})

    def finish_deploy(self, stack_name: str, parameters: Mapping[str, str]) -> None:
        """Reserve the concurrency of buy."""
        reserve_concurrency(stack_name, parameters)

    def peek(self, queue_url: str, limit: int) -> list[QueuedMessage]:
        """Read messages by LocalStack's debug endpoint, which changes nothing."""
        return self._queues.messages(queue_url)[:limit]
