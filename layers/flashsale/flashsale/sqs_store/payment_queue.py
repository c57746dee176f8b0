"""The queue between a webhook and its payment."""

from typing import TYPE_CHECKING, cast

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from flashsale.domain.payment_messages import QueuedPayment
from flashsale.domain.payments import Payment
from flashsale.errors import QueueUnavailable

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

# Seconds. With one retry after a second at most, a webhook has its answer within five seconds:
# before Lambda's timeout, and before that of the provider.
CONNECT_TIMEOUT = 0.5
READ_TIMEOUT = 1.5
ATTEMPTS = 2


class PaymentQueue:
    """Sends payments to the queue `payments`.

    Attributes:
        url: of the queue.

    """

    def __init__(self, url: str) -> None:
        config = Config(
            connect_timeout=CONNECT_TIMEOUT,
            read_timeout=READ_TIMEOUT,
            retries={"total_max_attempts": ATTEMPTS, "mode": "standard"},
            tcp_keepalive=True,
        )
        session = botocore.session.get_session()
        self._sqs = cast("SQSClient", session.create_client("sqs", config=config))
        self.url = url

    def send(self, payment: Payment) -> None:
        """Send a payment. It may arrive twice, which makes no difference.

        Raises:
            QueueUnavailable: SQS did not confirm the message, which may be in the queue.

        """
        body = QueuedPayment.of(payment).model_dump_json()
        try:
            self._sqs.send_message(QueueUrl=self.url, MessageBody=body)
        except (BotoCoreError, ClientError) as error:
            raise QueueUnavailable(f"SQS may lack payment {payment.id}: {error}") from error
