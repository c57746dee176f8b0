"""Five ways to sell the last unit, one module each, with one function `buy` each.

Lay them side by side: they share the stock, the orders and the errors, and differ in the order in
which they touch them. Each returns a purchase, or a `Refusal` where nothing was sold.
"""
