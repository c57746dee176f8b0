"""The exporter: metrics of a sale, its queues, its stores and its functions for Prometheus."""
