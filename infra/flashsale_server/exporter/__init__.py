"""The exporter: what a sale, its queues, its stores and its functions look like to Prometheus."""
