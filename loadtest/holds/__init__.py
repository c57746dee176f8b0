"""Measures payment holds: what they cost, how soon they end, how fast payments are applied."""
