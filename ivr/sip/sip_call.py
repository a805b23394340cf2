"""What all calls have in common, and what a call wants done.

A call is one of three machines, each with its table: `IncomingCall` until its final answer, `OutgoingCall` until the
peer's, `LiveCall` from then on. The functions that step them return the call as it stands then, which may be the next
machine, and *effects*: for the table of transactions, to be sent, or events. Each is pure: same arguments, same answer.
"""

from typing import TypeAlias

from msgspec import Struct

from ivr.sip.client_transaction import ClientKey
from ivr.sip.dialog import Dialog
from ivr.sip.message import Request, Response
from ivr.sip.outputs import Event, Hop, Link
from ivr.sip.policy import EndpointConfig
from ivr.sip.server_transaction import ServerKey


class Respond(Struct, frozen=True, tag=True):
    """Answer a request."""

    key: ServerKey
    response: Response


class RepeatAnswer(Struct, frozen=True, tag=True):
    """Send the last answer to a request again."""

    key: ServerKey


class Ask(Struct, frozen=True, tag=True):
    """Send a request, and repeat it until it is answered."""

    request: Request
    to: Link | Hop
    owned: bool = True
    "Whether the call wants to know what becomes of it."


class Acknowledge(Struct, frozen=True, tag=True):
    """Send the ACK of a 2xx to our INVITE, now and for each repeat of the 2xx."""

    invite: ClientKey
    ack: Request
    to: Link | Hop


class Abandon(Struct, frozen=True, tag=True):
    """Wait no longer for the answer to an INVITE."""

    invite: ClientKey


Effect: TypeAlias = Respond | RepeatAnswer | Ask | Acknowledge | Abandon | Event


class Credentials(Struct, frozen=True):
    """What we prove ourselves with to a peer that asks for it (RFC 3261 22)."""

    user: str
    password: str

    def __repr__(self) -> str:
        return f"Credentials({self.user!r})"


class SipCall(Struct, frozen=True, kw_only=True):
    """A call in whatever state."""

    handle: str
    config: EndpointConfig
    over: bool = False
    "Nothing of it is left to do; the tables forget it."

    @property
    def dialog_key(self) -> tuple[str, str]:
        """Call-ID and our tag."""
        raise NotImplementedError

    @property
    def deadline(self) -> float | None:
        """When its `tick` is due, in the seconds of `now`."""
        raise NotImplementedError


class CallStep(Struct, frozen=True):
    """Where the call stands now, and what is to be done, in order."""

    call: SipCall
    effects: tuple[Effect, ...] = ()


def dialog_key(dialog: Dialog) -> tuple[str, str]:
    """Return what the requests of a dialog are found by."""
    return dialog.call_id, dialog.local.tag
