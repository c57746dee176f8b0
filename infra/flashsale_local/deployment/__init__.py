"""A deployment: its addresses, and how it is checked and changed."""
