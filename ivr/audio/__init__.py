"""Audio files: what they are, and whether a line can play them."""
