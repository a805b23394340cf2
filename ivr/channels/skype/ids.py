"""Names on the wire: of calls, messages and operations; a platform's own are hostile until they are checked here."""

import re
from collections.abc import Mapping
from hashlib import sha256

from ivr.channels.skype import wire
from ivr.errors import WebhookError

MAX_ID = 512
MAX_MESSAGE_ID = 128

_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_VISIBLE_ASCII = re.compile(f"[!-~]{{1,{MAX_MESSAGE_ID}}}")
_PROMPT = ".prompt"
_COUNTED = re.compile(r"[0-9]{1,6}\.[0-9]{1,6}")


def checked(name: str, what: str) -> str:
    """Return a name of the platform's; raise WebhookError (400) for one that must not reach store or log."""
    controls = not name.isprintable() and _CONTROLS.search(name)  # no control is printable; most names are
    if controls or len(name) > MAX_ID or not name.strip():
        raise WebhookError(400, "bad-id", f"the {what} id must be 1 to {MAX_ID} characters, no control characters")
    return name


def plain(identity: str) -> str:
    """Return whom the platform names as he is stored and logged: his name refuses no call, and damages nothing."""
    return (
        identity
        if identity.isprintable() and len(identity) <= MAX_ID
        else _CONTROLS.sub(" ", identity[:MAX_ID]).strip()
    )


def message_id(headers: Mapping[str, str], message: wire.Message, *, over: bool) -> str:
    """Return a message's name as its sender has it, so that a repeat has the same name; else after what it is about."""
    name = headers.get(wire.MESSAGE_ID)
    if name is None:
        name = _substitute(message, over=over)
    if not _VISIBLE_ASCII.fullmatch(name):
        raise WebhookError(400, "bad-id", f"the message id must be 1 to {MAX_MESSAGE_ID} visible ASCII characters")
    return name


def _substitute(message: wire.Message, *, over: bool) -> str:
    """Make up a message id. The first word keeps it apart from a sender's own, and an operation's end from the call's.

    The end of a call may be reported with the id of an operation that was reported before; it is no repeat of that.
    """
    match message:
        case wire.ConversationResult():
            name = f"{'ended' if over else 'operation'}:{message.operation_outcome.id}"
            # An operation's name is freer than a message's; a report that is refused for its name is a caller lost.
            return name if _VISIBLE_ASCII.fullmatch(name) else f"hashed:{sha256(name.encode()).hexdigest()}"
        case wire.Conversation():
            return f"conversation:{message.call_state}"
    return f"notification:{message.type}:{message.current_state}"


def nested(op: str) -> str:
    """Return the prompt inside an operation, which the wire wants named by itself (protocol 5.5)."""
    return op + _PROMPT


def owner(op: str) -> str:
    """Return the operation that a reported id belongs to."""
    return op.removesuffix(_PROMPT)


def is_ours(op: str) -> bool:
    """Return whether an operation's id is one that the engine can have counted: `<turn>.<n>`."""
    return _COUNTED.fullmatch(op) is not None
