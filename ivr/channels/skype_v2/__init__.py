"""The Skype Bot Platform v2, which came before the Bot Framework: arrays of messages in, Skype's own XML out."""
