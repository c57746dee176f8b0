"""The exceptions of this package. An exception means "try again" or a bug.

What a buyer can expect to happen (sold out, no such product) is a value, see `model.Refusal`.

    FlashsaleError
    ├── ConfigError            a setting is missing or unreadable
    ├── InvalidMessage         a queue message that is not an order; trying again cannot help
    ├── OrderRejected          PostgreSQL refuses the row (a constraint); trying again cannot help
    ├── MessageRefused         SQS refuses the message as such; our mistake
    └── ServiceUnavailable     a backing service does not answer, or not now; try again
        ├── StockUnavailable       Redis
        ├── DatabaseUnavailable    PostgreSQL
        ├── KeysUnavailable        the issuer of the tokens
        ├── OutOfTime              some service, when the time of a use case was over
        └── QueueUnavailable       SQS
            ├── PushRefused            the message is certainly not in the queue
            └── PushUncertain          the message may or may not be in the queue
"""


class FlashsaleError(Exception):
    """Base of everything that this package raises on purpose."""


class ConfigError(FlashsaleError):
    """A setting is missing or unreadable; the text names it and says what it should look like."""


class InvalidMessage(FlashsaleError):
    """A queue message that is not an order."""


class OrderRejected(FlashsaleError):
    """PostgreSQL refused an order's row.

    Attributes:
        constraint: name of the violated constraint, or "" if the error names none.

    """

    def __init__(self, message: str, constraint: str = "") -> None:
        super().__init__(message)
        self.constraint = constraint


class MessageRefused(FlashsaleError):
    """SQS refuses a message as such, and certainly does not have it: this code must change."""


class ServiceUnavailable(FlashsaleError):
    """A backing service does not answer, or not now; `service` is its name as buyers may read it.

    Not now: its state forbids it (read only, full, overloaded, a missing right). Nobody or the
    operator has to act; which errors these are is decided in `redis_errors`, `postgresql_errors`
    and `sqs_errors`.
    """

    service = "service"


class StockUnavailable(ServiceUnavailable):
    """Redis does not answer, or not now. After a timeout a script may have run all the same."""

    service = "stock"


class DatabaseUnavailable(ServiceUnavailable):
    """PostgreSQL does not answer, or not now (deadlock, shutdown, read only)."""

    service = "orders"


class KeysUnavailable(ServiceUnavailable):
    """The keys with which tokens are checked could not be fetched."""

    service = "sign-in"


class OutOfTime(ServiceUnavailable):
    """The time of a use case was over before all services had answered."""


class QueueUnavailable(ServiceUnavailable):
    """SQS did not confirm a message."""

    service = "queue"


class PushRefused(QueueUnavailable):
    """The message is certainly not in the queue: refused, or never sent."""


class PushUncertain(QueueUnavailable):
    """The message may be in the queue: the answer never came. Never release on this."""
