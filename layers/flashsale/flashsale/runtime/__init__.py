"""The services and the event loop of a process, SQS events, and traces."""
