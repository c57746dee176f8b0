"""`make bench`: every generation on both edges under the same spike, and one report.

`__main__` holds the sales, on a stack of their own. `results` defines what they leave behind.
`report` and `pictures` show it.
"""
