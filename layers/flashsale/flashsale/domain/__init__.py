"""The types of a sale: products, orders, claims, and the messages that carry them."""
