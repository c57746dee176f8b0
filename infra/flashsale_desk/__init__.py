"""Desk work on the project: the scaling model, the supply chain, the dashboards."""
