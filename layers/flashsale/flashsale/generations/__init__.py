"""Five ways to sell the last unit. Each module has one function `buy`.

Compare them side by side: they share the stock, the orders and the errors, and use them in a
different order. Each returns a purchase, or why nothing was sold (`NotSold`).

Each first checks in Redis that it may sell the product and that the sale is open. V3 to V5 do so in
the step that takes the units, V1 and V2 in a step before (`Stock.enter`).
"""
