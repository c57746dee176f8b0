"""Lines that the processes of the ASGI edge write: text for people, fields behind a tab."""

import json
import logging

# A line begins with its time, so that `flashsale logs --order` can sort it among others.
_TEXT = "%(asctime)s %(levelname)s %(message)s"
# What the relay says of the claims that it sends, see `flashsale.usecases.relay`.
_FIELDS = ("sending", "overdue")


class LineFormat(logging.Formatter):
    """Formats a record as one line, and its fields as JSON behind a tab.

    No text that a client chooses has a tab: `metrics.emit` escapes it.
    """

    def __init__(self) -> None:
        super().__init__(_TEXT)

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        fields = {name: vars(record)[name] for name in _FIELDS if name in vars(record)}
        text = super().format(record)
        return f"{text}\t{json.dumps(fields)}" if fields else text


def log_lines(logger: logging.Logger, level: int = logging.NOTSET) -> None:
    """Write the records of a logger, and of those below it, to the standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(LineFormat())
    logger.addHandler(handler)
    logger.setLevel(level)
