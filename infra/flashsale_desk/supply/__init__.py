"""The supply chain: what is pinned, under which licences, and what is known against it."""
