"""Callers for whom time waits: somebody who types, a call script, and as many as a load test wants."""
