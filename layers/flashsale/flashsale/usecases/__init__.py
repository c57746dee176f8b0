"""The use cases: place orders, compensate, relay, run a sale, check the books."""
