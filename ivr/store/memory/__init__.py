"""Calls in memory alone: the twin of a store, for tests and trials."""
