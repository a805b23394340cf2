"""The table of an endpoint's calls, and what requests find them by."""

from collections import Counter
from typing import TypeVar

from msgspec import Struct

from ivr.sip.deadlines import Deadlines
from ivr.sip.incoming_call import IncomingCall
from ivr.sip.live_call import LiveCall
from ivr.sip.message import Request, call_id, from_
from ivr.sip.outgoing_call import OutgoingCall
from ivr.sip.server_transaction import ServerKey
from ivr.sip.sip_call import SipCall

CallT = TypeVar("CallT", bound=SipCall)


class _Entry(Struct):
    """What a call is found by."""

    dialog: tuple[str, str]
    invite: ServerKey | None = None
    "Only while it has no final answer: then a CANCEL may come, and nobody else has the key."
    origin: tuple[str, str] | None = None
    left: bool = False
    "It has ended for its owner; only the peer's answer to BYE or CANCEL is waited for."
    host: str = ""
    "Whose limit of unanswered INVITEs it counts for; empty: none."


class CallTable:
    """Calls by their handles, by the dialog of a request, by the INVITE that a CANCEL means."""

    def __init__(self) -> None:
        self._calls: dict[str, SipCall] = {}
        self._entries: dict[str, _Entry] = {}
        self._dialogs: dict[tuple[str, str], str] = {}
        self._invites: dict[ServerKey, str] = {}
        self._origins: dict[tuple[str, str], str] = {}
        self._unanswered: Counter[str] = Counter()
        self._left = 0
        self.deadlines: Deadlines[str] = Deadlines(self._deadline)

    def __len__(self) -> int:
        return len(self._calls)

    def is_full(self, most: int) -> bool:
        """Return whether there are as many calls, or as many again whose end the peers do not confirm."""
        return len(self._calls) - self._left >= most or self._left >= most

    def get(self, handle: str) -> SipCall | None:
        """Return a call by its handle; None: it is over."""
        return self._calls.get(handle)

    def of_kind(self, handle: str, kind: type[CallT]) -> CallT | None:
        """Return a call if it is in this state; None otherwise."""
        call = self._calls.get(handle)
        return call if isinstance(call, kind) else None

    def of_dialog(self, identity: str, tag: str) -> SipCall | None:
        """Return the call of a Call-ID and our tag; who is asked compares the peer's tag."""
        return self._calls.get(self._dialogs.get((identity, tag), ""))

    def of_invite(self, key: ServerKey) -> SipCall | None:
        """Return the call of an INVITE that came in and has no final answer."""
        return self._calls.get(self._invites.get(key, ""))

    def has_origin(self, invite: Request) -> bool:
        """Return whether a call came in with this Call-ID and From tag (RFC 3261 8.2.2.2)."""
        return (call_id(invite), from_(invite).tag) in self._origins

    def unanswered(self, host: str) -> int:
        """Return how many calls of an address are not established yet."""
        return self._unanswered[host]

    def keep(self, call: SipCall) -> None:
        """Keep a call as it stands now, or forget it if it is over."""
        if call.handle not in self._entries:
            self._enter(call)
        entry = self._entries[call.handle]
        if entry.dialog != call.dialog_key:  # the call goes on in another dialog (RFC 3891)
            del self._dialogs[entry.dialog]
            entry.dialog = call.dialog_key
            self._dialogs[entry.dialog] = call.handle
        if entry.host and not _is_unanswered(call):
            self._unanswered[entry.host] -= 1
            if not self._unanswered[entry.host]:
                del self._unanswered[entry.host]
            entry.host = ""
        if entry.invite is not None and (call.over or not isinstance(call, IncomingCall)):
            del self._invites[entry.invite]
            entry.invite = None
        if not entry.left and _is_left(call):
            entry.left = True
            self._left += 1
        if call.over:
            self._forget(call, entry)
        else:
            self._calls[call.handle] = call
        self.deadlines.changed(call.handle)

    def _deadline(self, handle: str) -> float | None:
        return self._calls[handle].deadline if handle in self._calls else None

    def _enter(self, call: SipCall) -> None:
        entry = self._entries[call.handle] = _Entry(call.dialog_key)
        self._dialogs[entry.dialog] = call.handle
        if isinstance(call, IncomingCall):
            entry.invite, entry.host = call.key, call.dialog.link.remote[0]
            entry.origin = call_id(call.invite), from_(call.invite).tag
            self._invites[entry.invite] = self._origins[entry.origin] = call.handle
            self._unanswered[entry.host] += 1

    def _forget(self, call: SipCall, entry: _Entry) -> None:
        self._calls.pop(call.handle, None)
        self._left -= entry.left
        del self._entries[call.handle], self._dialogs[entry.dialog]
        if entry.origin is not None:
            del self._origins[entry.origin]


def _is_left(call: SipCall) -> bool:
    """Return whether a call has ended for its owner."""
    match call:
        case LiveCall(state="leaving") | OutgoingCall(state="cancelling"):
            return True
    return False


def _is_unanswered(call: SipCall) -> bool:
    waits = isinstance(call, IncomingCall) or (isinstance(call, LiveCall) and call.state == "accepted")
    return waits and not call.over
