"""The long-running processes of the container image: web workers, relay and exporter."""
