"""Read what a connector posts: one activity, of which the members that mean something here are checked.

The token is good when an activity is read, but what stands in it was written by whoever chats: names and texts are cut
to what somebody needs. Unknown members and unknown kinds of activities are passed over (activity protocol, A2005).
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, TypeAlias, get_args

import msgspec
from msgspec import Struct

from ivr.channels.in_writing.words import plain
from ivr.errors import WebhookError

MAX_TEXT: Final = 8000
"Characters of a message that are read."
LONGEST_ID: Final = 512
"Characters of an id."
_LONGEST_NAME = 200
TEAMS: Final = "msteams"
_DIRECTORY_ID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}", re.ASCII)
VOICE = "application/vnd.microsoft.activity.voice+json"
"Of a value: a whole utterance, spoken into a microphone (activity protocol 3.4)."

Kind: TypeAlias = Literal[
    "message",
    "conversationUpdate",
    "contactRelationUpdate",
    "deleteUserData",
    "installationUpdate",
    "endOfConversation",
    "event",
    "invoke",
]
"What means something here."


class Account(Struct, frozen=True):
    """Who takes part in a conversation."""

    id: str
    name: str = ""


class Activity(Struct, frozen=True):
    """What an activity says."""

    kind: Kind | None
    "None: nothing that means something here."
    id: str
    channel: str
    conversation: str
    service: str
    "Where what follows is sent to; without a slash at its end."
    sender: Account
    recipient: Account
    group: bool = False
    text: str = ""
    voice: str | None = None
    "The address of a voice message."
    attached: bool = False
    "There are attachments."
    locale: str | None = None
    action: str = ""
    "`add` or `remove`, of a contact or an installation."
    name: str = ""
    "Of an event."
    state: str = ""
    "Of an event: the member `state` of its value."
    added: tuple[Account, ...] = ()
    removed: tuple[Account, ...] = ()
    identity: str | None = None
    "Who the sender is in a directory, `<tenant>/<object id>`, where the channel has authenticated that; None: unknown."
    expects_replies: bool = False
    "Replies are wanted in the body of the answer."


def read_activity(body: bytes) -> Activity:
    """Read a request's body; raise WebhookError (400) if it is no activity."""
    try:
        tree = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise _bad("The body is no JSON.") from error
    if not isinstance(tree, dict):
        raise _bad("The body is no JSON object.")
    word = _text(tree, "type")
    if not word:
        raise _bad("An activity has a type.")
    sender, recipient = _account(tree.get("from"), "from"), _account(tree.get("recipient"), "recipient")
    conversation = _object(tree, "conversation")
    value = tree.get("value")
    return Activity(
        kind=next((one for one in get_args(Kind) if one == word), None),
        id=_text(tree, "id")[:LONGEST_ID],
        channel=_text(tree, "channelId"),
        conversation=_text(conversation, "id"),
        service=_text(tree, "serviceUrl").removesuffix("/"),
        sender=sender,
        recipient=recipient,
        group=conversation.get("isGroup") is True,
        text=_said(tree, value),
        voice=_voice(tree, value),
        attached=bool(_list(tree, "attachments")),
        locale=_text(tree, "locale") or None,
        action=_text(tree, "action"),
        name=_text(tree, "name"),
        state=_word_in(value, "state"),
        added=tuple(_account(one, "membersAdded") for one in _list(tree, "membersAdded")),
        removed=tuple(_account(one, "membersRemoved") for one in _list(tree, "membersRemoved")),
        identity=_identity(tree),
        expects_replies=_text(tree, "deliveryMode") == "expectReplies",
    )


def _bad(message: str) -> WebhookError:
    return WebhookError(400, "BadArgument", message)  # the code that connectors know


def _text(tree: Mapping[str, Any], member: str) -> str:
    value = tree.get(member)
    if value is not None and not isinstance(value, str):
        raise _bad(f"{member} is a text.")
    return value or ""


def _object(tree: Mapping[str, Any], member: str) -> Mapping[str, Any]:
    value = tree.get(member)
    if value is not None and not isinstance(value, dict):
        raise _bad(f"{member} is an object.")
    return value or {}


def _list(tree: Mapping[str, Any], member: str) -> Sequence[Any]:
    value = tree.get(member)
    if value is not None and not isinstance(value, list):
        raise _bad(f"{member} is a list.")
    return value or []


def _account(value: object, member: str) -> Account:
    if value is not None and not isinstance(value, dict):
        raise _bad(f"{member} is an object.")
    tree = value or {}
    name = _text(tree, "id")[:LONGEST_ID]
    if not name.isprintable():  # it is stored and logged
        raise _bad(f"{member} is the id of an account.")
    return Account(name, plain(_text(tree, "name"), _LONGEST_NAME))


def _identity(tree: Mapping[str, Any]) -> str | None:
    """Return whom Teams names by the directory; other channels let users say of themselves what they like."""
    if tree.get("channelId") != TEAMS:
        return None
    data = tree.get("channelData")
    tenant = _member(data.get("tenant") if isinstance(data, dict) else None, "id")
    tenant = tenant or _member(tree.get("conversation"), "tenantId")
    user = _member(tree.get("from"), "aadObjectId")
    known = all(isinstance(one, str) and _DIRECTORY_ID.fullmatch(one) for one in (tenant, user))
    return f"{tenant}/{user}".lower() if known else None


def _member(value: object, name: str) -> object:
    return value.get(name) if isinstance(value, dict) else None


def _said(tree: Mapping[str, Any], value: object) -> str:
    """Return what was written; of a button that posts its value alone, that; of a voice message, its words."""
    text = _text(tree, "text")
    if not text.strip() and isinstance(value, str):
        text = value
    if not text.strip() and tree.get("valueType") == VOICE:
        text = _word_in(value, "transcription")
    return text[:MAX_TEXT]


def _voice(tree: Mapping[str, Any], value: object) -> str | None:
    """Return the address of a voice message: of the first attachment that is sound, or of an utterance."""
    found = [one for one in _list(tree, "attachments") if isinstance(one, dict)]
    if tree.get("valueType") == VOICE and isinstance(value, dict):
        found.append(value)
    for one in found:
        if _word_in(one, "contentType").startswith("audio/") and _word_in(one, "contentUrl"):
            return _word_in(one, "contentUrl")
    return None


def _word_in(value: object, member: str) -> str:
    """Return a text in a value whose form nobody promises."""
    found = value.get(member) if isinstance(value, dict) else None
    return found if isinstance(found, str) else ""
