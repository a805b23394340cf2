"""The address at which the platform posts, and those at which it takes what we send (protocol E)."""

from typing import Final, Literal, TypeAlias
from urllib.parse import quote

CHANNEL: Final = "skype-v2"
"The channel's name in stored calls."
MESSAGES: Final = "/skype-v2/messages"
"Where messages come in; `/NAME` may follow."
SKYPE: Final = "skype"
"What the Bot Framework calls the channel of the same people, and what bots keep of them is kept under."
Wire: TypeAlias = Literal["v2", "v3"]
"How it is written to: in its own way, or as the Bot Framework at the same host, which knows a kind `message/text`."
_PLAIN: Final = "!$&'()*+,:;=@~"
"Letters that ids have, and that stay as they are in an address of v2: its clients write `8:live:somebody`."


def conversation_name(conversation: str) -> str:
    """Return our name of a conversation, of visible letters."""
    return quote(conversation, safe=_PLAIN)


def sending(base: str, conversation: str, wire: Wire) -> str:
    """Return where a message is posted to."""
    if wire == "v3":
        return f"{base}/v3/conversations/{quote(conversation, safe='')}/activities"
    return f"{base}/v2/conversations/{quote(conversation, safe=_PLAIN)}/activities/"
