"""What the queues hold: their depths, and messages that can be read without receiving them."""
