"""The HTTP API: `application` builds it, `buy` has the buy routes of all generations."""
