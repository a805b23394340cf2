"""Calls written down as YAML: what a caller expects to hear, and does (docs/phone.md)."""
