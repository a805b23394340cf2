"""`ivr phone`: the platform's side of the protocol, to call any bot by hand, by script, or many times at once."""

from ivr.cli.phone.command import phone

__all__ = ["phone"]
