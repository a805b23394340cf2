"""Microsoft's Skype Calling webhooks (docs/protocol.md)."""

from ivr.channels.skype.codec import SkypeChannel

__all__ = ["SkypeChannel"]
