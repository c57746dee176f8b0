"""Log lines of functions and edges, and the life of one order in them."""
