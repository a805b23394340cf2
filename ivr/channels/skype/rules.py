"""The rules of the wire (protocol 4 to 8) that the server applies to what comes in, and the limits of what goes out.

A rule yields a sentence per violation, each beginning with its place; no violation, no sentence. A message is allowed
if Microsoft's own classes allow it. The rules for what we write are for tests: `tests/skype/wire_rules.py`.
"""

from collections.abc import Iterator
from typing import TypeAlias

from ivr.channels.skype import wire
from ivr.spoken_text import utf16_units

Problems: TypeAlias = Iterator[str]

MAX_TEXT = 2048
"UTF-16 units of one spoken text."
MAX_APP_STATE = 1024
MAX_STOP_TONES = 5


def violations(message: wire.Conversation | wire.Notification) -> Problems:
    """Return the rules that an incoming message breaks."""
    return _conversation(message) if isinstance(message, wire.Conversation) else _notification(message)


def _conversation(conversation: wire.Conversation) -> Problems:
    if _blank(conversation.id):
        yield "id: must not be blank"
    if not conversation.participants:
        yield "participants: must not be empty"
    if any(_blank(participant.identity) for participant in conversation.participants):
        yield "participants: none may have a blank identity"
    if not conversation.presented_modality_types:
        yield "presentedModalityTypes: must not be empty"
    if conversation.is_multiparty and _blank(conversation.thread_id):
        yield "threadId: a group call needs one"
    state = conversation.app_state
    # Blank text of any length escapes the vendor's check.
    if state and not _blank(state) and utf16_units(state) > MAX_APP_STATE:
        yield f"appState: at most {MAX_APP_STATE} characters"


def _notification(notification: wire.Notification) -> Problems:
    if _blank(notification.id):
        yield "id: must not be blank"
    if notification.type == "callStateChange" and notification.current_state is None:
        yield "currentState: a callStateChange needs one"
    if notification.type == "rosterUpdate" and not notification.participants:
        yield "participants: a rosterUpdate needs them"


def _blank(text: str | None) -> bool:
    return text is None or not text.strip()
