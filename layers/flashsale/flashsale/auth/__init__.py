"""Who sends a request: tokens, the keys that sign them, and the principal that they name."""
