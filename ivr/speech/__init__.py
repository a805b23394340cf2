"""Recordings to words: the engines, which one is chosen, what each can do, and what they share."""
