"""Grafana's dashboards: what they show (`definitions`), and their JSON (`grafana`)."""
