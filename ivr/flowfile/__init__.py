"""From YAML text to a `Flow`, with every mistake found at its line and column."""
