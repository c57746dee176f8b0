"""`make bench`: all generations on both edges under the same spike, and a report about them.

`__main__` runs the sales on a stack of its own. `results` defines the figures that are kept.
`report`, `table` and `pictures` show them.
"""
