"""Adapters of Redis: the stock, the ledger of V5, and the scripts that change them."""
