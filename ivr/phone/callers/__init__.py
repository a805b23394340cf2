"""Callers for whom time waits: a person who types, a call script, and those of a load test."""
