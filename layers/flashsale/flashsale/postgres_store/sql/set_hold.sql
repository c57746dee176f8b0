-- Give the buyers of a product this time to pay. Orders that are written already keep theirs.
-- Parameters: id, seconds (0: orders are CONFIRMED at once).
UPDATE products
SET hold_seconds = %(seconds)s, updated_at = now()
WHERE id = %(id)s
