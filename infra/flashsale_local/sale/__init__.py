"""A sale for people to watch: products, buyers, and purchases under load."""
