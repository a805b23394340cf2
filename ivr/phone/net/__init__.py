"""The platform's way to a bot: who it is, where it may connect to, and how often it asks."""
