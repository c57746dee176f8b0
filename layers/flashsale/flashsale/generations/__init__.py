"""Five ways to sell the last unit, one module each, with one function `buy` each.

Lay them side by side: they share the stock, the orders and the errors, and differ in the order in
which they touch them. Each returns a purchase, or why nothing was sold (`NotSold`).

Each asks Redis first whether the product is its own to sell and the sale is open: V3 to V5 in the
step that takes the units, V1 and V2 in a step before (`Stock.enter`).
"""
