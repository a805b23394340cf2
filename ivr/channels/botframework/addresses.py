"""The addresses at which a connector posts, and those at which it takes what we send (activity protocol, A5)."""

from typing import Final
from urllib.parse import quote

CHANNEL: Final = "chat"
"The channel's name in stored calls."
MESSAGES: Final = "/api/messages"
"Where activities come in; `/NAME` may follow."
_PLAIN = "!$&'()*+,:;=@|~"
"Letters that ids of conversations have, and that stay as they are in our own name of one."


def conversation_name(channel: str, conversation: str) -> str:
    """Return our name of a conversation, of visible letters: the ids of two channels may be the same."""
    return f"{channel}/{quote(conversation, safe=_PLAIN)}"


def sending(service: str, conversation: str, reply_to: str | None) -> str:
    """Return where an activity is posted to; `reply_to` is the activity that it answers.

    Ids are encoded wholly. An activity whose id is dots alone is not named, since `..` would lead elsewhere.
    """
    address = f"{service}/v3/conversations/{quote(conversation, safe='')}/activities"
    return f"{address}/{quote(reply_to, safe='')}" if reply_to and reply_to.strip(".") else address
