"""The local stack without Docker: Valkey, PostgreSQL and ministack under a supervisor."""
