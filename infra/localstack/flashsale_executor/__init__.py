"""A Lambda executor for LocalStack's host mode, with a process for each execution environment."""
