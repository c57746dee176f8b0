"""`make bench`: every generation on both edges under the same spike, and one report of it.

`__main__` holds the sales, on a stack of its own; `results` is what they leave; `report` and
`pictures` show it.
"""
