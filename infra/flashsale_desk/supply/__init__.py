"""The supply chain: pins, their licences, and their known vulnerabilities."""
