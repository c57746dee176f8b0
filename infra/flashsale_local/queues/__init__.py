"""Working on the queues of a deployment: contents, failed and parked messages."""
