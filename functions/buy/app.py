"""The buy function: the HTTP API of the sale. Follow a purchase from here.

Every purchase begins in `flashsale/http/buy.py`, which has the buy routes of all generations. What
calls them is `http/direct.py`; it leaves requests that are not valid to FastAPI.

- V4: `generations/v4.py` claims a unit by `redis_store/stock.py` (`lua/decrement.lua`) and pushes
  the order by `sqs_store/order_queue.py`. The order function (`functions/order/app.py`) then writes
  it (`usecases/place_orders.py`, `postgres_store/orders.py`). What stays unwritten is cancelled by
  the rollback function (`functions/rollback/app.py`, `usecases/compensate.py`).
- V5: `generations/v5.py` claims units and writes the claim down in one step by
  `redis_store/ledger.py` (`lua/claim.lua`). The relay (`usecases/relay.py`) carries claims to SQS.
  From there on it is the way of V4, until the order function settles the claim in the ledger.

The way back to the buyer is `http/orders.py`, which says how an order stands.
"""

from flashsale.http.application import create_app
from flashsale.http.gateway import lambda_handler

api = create_app()
handler = lambda_handler(api)
