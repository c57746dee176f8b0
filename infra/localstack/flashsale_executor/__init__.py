"""A Lambda executor for LocalStack's host mode: one process for each execution environment."""
