"""Adapters of PostgreSQL: products, orders, the audit log, and the SQL that reads and writes them.

Names of methods, here and in `redis_store`: `get…` returns one thing or None, `list…` returns many,
`take…` also changes who works on what it returns. The other methods are verbs of the domain.
"""
