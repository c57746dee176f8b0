"""A payment provider for the local stack. It speaks Stripe's API, and nobody's money moves."""
