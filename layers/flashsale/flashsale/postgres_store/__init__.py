"""Adapters of PostgreSQL: products, orders, the audit log, and the SQL that changes them."""
