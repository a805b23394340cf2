"""Read what the platform posts: an array of messages, of which the members that mean something here are checked.

One that cannot be read says nothing about the others. Unknown members and unknown activities are passed over.
"""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final, Literal, TypeAlias, get_args

import msgspec
from msgspec import Struct

from ivr.channels.skype_v2.markup import read
from ivr.errors import WebhookError

MOST: Final = 100
"Messages of one request."
MAX_TEXT: Final = 8000
"Characters of a message that are read."
LONGEST_ID: Final = 512
"Characters of an id."
NOT_REFERABLE: Final = "0"
"The id of messages that have none."
_GROUP: Final = "19:"
"What the ids of groups begin with."

Kind: TypeAlias = Literal["message", "contactRelationUpdate"]
"What means something here."


class Message(Struct, frozen=True):
    """One element of what is posted."""

    kind: Kind
    id: str
    "Its name, the same in each repeat; of visible letters."
    sender: str
    recipient: str
    text: str = ""
    "What there is to read of it."
    action: str = ""
    "`add` or `remove`, of a contact."


def read_messages(body: bytes) -> list[Message]:
    """Return those messages of a request that mean something; raise WebhookError (400, 413) if none can be read."""
    try:
        tree = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise _bad("The body is no JSON.") from error
    elements = tree if isinstance(tree, list) else [tree]
    if len(elements) > MOST:
        raise WebhookError(413, "too-many", f"A request holds {MOST} messages at most.")
    found: list[Message] = []
    wrong: WebhookError | None = None
    taken = 0
    for element in elements:
        try:
            message = _message(element)
        except WebhookError as error:
            wrong = wrong or error
            continue
        taken += 1
        if message is not None:
            found.append(message)
    if wrong is not None and not taken:
        raise wrong
    return found


def _message(element: object) -> Message | None:
    """Return a message; None: it means nothing here. Raises WebhookError where it is none."""
    if not isinstance(element, dict):
        raise _bad("A message is an object.")
    word = _text(element, "activity")
    if not word:
        raise _bad("A message says which activity it is; those of the Bot Framework (`type`) go to another address.")
    kind = next((one for one in get_args(Kind) if one == word), None)
    sender, recipient = _account(element, "from"), _account(element, "to")
    if kind is None or sender.startswith(_GROUP) or recipient.startswith(_GROUP):
        return None
    content = _text(element, "content")[:MAX_TEXT]
    return Message(kind, _name(element, kind, sender), sender, recipient, read(content), _text(element, "action"))


def _name(element: Mapping[str, Any], kind: Kind, sender: str) -> str:
    """Return a name that a repeat has, too.

    Where the platform gives no id, it is what was written and when: the time is the platform's, to the millisecond.
    Without one, a repeat could not be told from somebody who answers twice with the same word, so such a message is
    none.
    """
    given = _text(element, "id")
    if given and given != NOT_REFERABLE:
        told = ["id", kind, sender, given]
    elif time := _text(element, "time"):
        told = ["at", kind, sender, time, _text(element, "content"), _text(element, "action")]
    else:
        raise _bad("A message without an id has a time.")
    return sha256(msgspec.json.encode(told)).hexdigest()


def _account(element: Mapping[str, Any], member: str) -> str:
    value = _text(element, member)
    if not 0 < len(value) <= LONGEST_ID or not value.isprintable() or not value.strip("."):  # `..` leads elsewhere
        raise _bad(f"{member} is the id of an account.")
    return value


def _text(element: Mapping[str, Any], member: str) -> str:
    value = element.get(member)
    if value is not None and not isinstance(value, str):
        raise _bad(f"{member} is a text.")
    return value or ""


def _bad(text: str) -> WebhookError:
    return WebhookError(400, "BadArgument", text)
