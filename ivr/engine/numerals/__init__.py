"""Numbers in words, a module for each language: what is said, and all that is understood as the same number."""
