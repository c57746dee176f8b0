"""The exceptions of this package. An exception means "try again" or a bug.

What a buyer can expect to happen (sold out, no such product) is a value, see `model.Refusal`.

    FlashsaleError
    ├── ConfigError            a setting is missing or unreadable
    ├── InvalidMessage         a queue message that is not an order; trying again cannot help
    ├── OrderRejected          PostgreSQL refuses the row (a constraint); trying again cannot help
    └── ServiceUnavailable     a backing service does not answer; try again
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


class ServiceUnavailable(FlashsaleError):
    """A backing service does not answer; `service` is its name as a buyer may read it."""

    service = "service"


class StockUnavailable(ServiceUnavailable):
    """Redis does not answer. After a timeout a script may have run all the same."""

    service = "stock"


class DatabaseUnavailable(ServiceUnavailable):
    """PostgreSQL does not answer, or asks to try again (deadlock, shutdown)."""

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
