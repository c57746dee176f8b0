"""Log lines of functions and edges, and the history of one order in them."""
