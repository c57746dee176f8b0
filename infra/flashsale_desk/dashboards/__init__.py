"""Grafana's dashboards: what they show (`shown`), and the JSON that Grafana reads (`grafana`)."""
