"""The exceptions of this package. An exception means that a retry may help, or that there is a bug.

An expected outcome of a purchase (sold out, no such product) is a value: `domain.model.Refusal`.

    FlashsaleError
    ├── ConfigError            a setting is missing or unreadable
    ├── InvalidMessage         a queue message is malformed; a retry cannot help
    ├── InvalidSignature       a webhook is not from the payment provider, or is too old
    ├── InvalidEvent           a webhook of the payment provider is malformed
    ├── OrderRejected          PostgreSQL rejects the row (a constraint); a retry cannot help
    ├── MessageRefused         SQS rejects the message itself: a bug
    └── ServiceUnavailable     a backing service is unavailable; a retry may help
        ├── StockUnavailable       Redis
        ├── DatabaseUnavailable    PostgreSQL
        │   └── RowLocked              another transaction keeps a row for long
        ├── KeysUnavailable        the issuer of the tokens
        ├── ProviderUnavailable    the payment provider
        │   └── ProviderRefused        it answers, and refuses one payment
        ├── OutOfTime              some service, until the deadline of a use case
        └── QueueUnavailable       SQS
            ├── PushRefused            the message is certainly not in the queue
            └── PushUncertain          the message may or may not be in the queue
"""


class FlashsaleError(Exception):
    """Base class of all exceptions that this package raises on purpose."""


class ConfigError(FlashsaleError):
    """A setting is missing or malformed. The text names it and shows its form."""


class InvalidMessage(FlashsaleError):
    """A queue message that is not an order, or not a payment."""


class InvalidSignature(FlashsaleError):
    """A webhook whose signature proves nothing. The text is one word, for metrics."""


class InvalidEvent(FlashsaleError):
    """A signed webhook that is malformed. The text says what is wrong, and quotes nothing."""


class OrderRejected(FlashsaleError):
    """PostgreSQL rejected the row of an order.

    Attributes:
        constraint: the name of the violated constraint; "" if the error names none.

    """

    def __init__(self, message: str, constraint: str = "") -> None:
        super().__init__(message)
        self.constraint = constraint


class MessageRefused(FlashsaleError):
    """SQS rejects the message itself, and certainly does not have it: this code has a bug."""


class ServiceUnavailable(FlashsaleError):
    """A backing service does not respond, or its state forbids the operation.

    Such a state is, for example, read only, full, overloaded, or a missing privilege. It ends by
    itself, or the operator ends it. The modules `errors` of `redis_store`, `postgres_store` and
    `sqs_store` decide which errors these are.

    Attributes:
        service: the name of the service as buyers may read it.

    """

    service = "service"


class StockUnavailable(ServiceUnavailable):
    """Redis is unavailable. After a timeout a script may have run nevertheless."""

    service = "stock"


class DatabaseUnavailable(ServiceUnavailable):
    """PostgreSQL is unavailable (no answer, deadlock, shutdown, read only)."""

    service = "orders"


class RowLocked(DatabaseUnavailable):
    """PostgreSQL answers, but another transaction has locked a row for longer than was waited."""


class KeysUnavailable(ServiceUnavailable):
    """The keys that verify tokens could not be fetched."""

    service = "sign-in"


class ProviderUnavailable(ServiceUnavailable):
    """The payment provider did not do what it was asked. The text says why, without any secret."""

    service = "payment"


class ProviderRefused(ProviderUnavailable):
    """The payment provider answered that it does not do this to this payment.

    It may be for good, such as a dispute, or no such payment.
    """


class PaymentInProgress(ProviderRefused):
    """The payment cannot be cancelled now, because it is being made. It may succeed or fail."""


class OutOfTime(ServiceUnavailable):
    """The deadline of a use case passed before all services had responded."""


class QueueUnavailable(ServiceUnavailable):
    """SQS did not confirm a message."""

    service = "queue"


class PushRefused(QueueUnavailable):
    """The message is certainly not in the queue. It was rejected, or never sent."""


class PushUncertain(QueueUnavailable):
    """The message may be in the queue, because no response came. Never release its units."""
