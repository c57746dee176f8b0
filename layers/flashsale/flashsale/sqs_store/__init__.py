"""The adapter of SQS: the queue between a claim and its order."""
