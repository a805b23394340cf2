"""A connector of the Bot Framework, played: people write to a bot, and what it sends to them is judged and shown."""
