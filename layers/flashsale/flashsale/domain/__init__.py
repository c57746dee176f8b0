"""The types of the sale: products, orders, claims, and the messages between them."""
