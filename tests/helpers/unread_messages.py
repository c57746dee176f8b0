"""Stands in for the exporter's `Queues`: counts of messages without any queue."""

from flashsale.domain.waiting import ANYTHING, Waiting


class Messages:
    """Queues with so many messages that were not read; None while SQS does not answer."""

    def __init__(self, count=0):
        self.count = count
        self.asked = 0

    def read(self):
        return []

    def waiting(self):
        self.asked += 1
        return ANYTHING if self.count is None else Waiting(unread=self.count)
