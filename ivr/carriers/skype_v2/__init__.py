"""The Skype Bot Platform v2, played: people write to a bot, and what it sends to them is judged and shown."""
