"""Adapter of SQS: the queue between a claim and its order."""
