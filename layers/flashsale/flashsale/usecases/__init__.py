"""What the application does: place orders, compensate, relay, run a sale, check the books."""
