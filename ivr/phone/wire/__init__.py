"""What the platform reads and writes: a bot's reply decoded, judged and turned into a line's actions; reports back."""
