"""Flash-sale backend: claims in Redis, orders in PostgreSQL, SQS in between.

All functions share this package as a Lambda layer. The tests and the local tools import it, too.
"""
