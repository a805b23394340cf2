"""What a chat shows of a flow: the engine's commands, as the channel writes them, without a server."""

from collections.abc import Mapping, Sequence
from typing import Any

from ivr.engine.commands import Notify, Remember, Request
from ivr.ports import Leg
from tests.caller import Caller
from tests.chat.chat_activities import begun, sent, spoken
from tests.flowfile.reading import load, whole

ENVELOPE = {"from", "conversation", "recipient", "timestamp", "replyToId"}
"Who writes to whom, and when."


def chatting(example: str) -> Caller:
    """Begin a conversation with a flow that can be served."""
    return Caller(load(whole(example)).served(), channel="chat")


def shown(caller: Caller, leg: Leg | None = None) -> list[Mapping[str, Any]]:
    """Return the messages for what a flow says now."""
    commands = [one for one in caller.commands if not isinstance(one, Request | Notify | Remember)]
    return sent(spoken(leg or begun(), *commands))


def first_of(example: str) -> Mapping[str, Any]:
    """Return the first message of a flow, without its envelope."""
    return bare(shown(chatting(example)))[0]


def bare(activities: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return messages without what their conversation puts around them."""
    return [{name: value for name, value in one.items() if name not in ENVELOPE} for one in activities]
