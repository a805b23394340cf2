"""What operators see of a running server: counters for Prometheus, and traces. Nothing of a caller is in either."""
