"""Calls in one SQLite file and a folder of recordings, which one process owns."""
