"""Flash-sale backend: claims in Redis, orders in PostgreSQL, SQS in between.

Shared by all functions (as a Lambda layer), by the tests and by the local tools.
"""
