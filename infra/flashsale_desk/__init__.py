"""Desk tools of the project: the scaling model, the supply chain, the dashboards."""
