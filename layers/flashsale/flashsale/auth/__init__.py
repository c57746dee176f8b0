"""Authentication: access tokens, the keys that sign them, and the principal that they name."""
