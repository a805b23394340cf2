"""Every call is a test: traces as cases, and cases replayed against the flows of today (`docs/replay.md`)."""
