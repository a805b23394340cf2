"""Microsoft's Skype Calling webhooks (docs/protocol.md)."""

from ivr.channels.skype.codec import CALL, CALLBACK, FORM, SkypeChannel

__all__ = ["CALL", "CALLBACK", "FORM", "SkypeChannel"]
