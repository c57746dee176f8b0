"""What the queues hold: depths, contents, failed and parked messages."""
