"""What operators see of a running server: counters for Prometheus, and spans. Nothing of a caller is in either."""
