"""TwiML: Twilio's documents, which other carriers took over (docs/twiml.md)."""

from ivr.channels.twiml.codec import TwimlChannel
from ivr.channels.twiml.profiles import PROFILES, Profile

__all__ = ["PROFILES", "Profile", "TwimlChannel"]
