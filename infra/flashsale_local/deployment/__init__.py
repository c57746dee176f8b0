"""A deployment: its addresses, and how it is checked, changed and released."""
