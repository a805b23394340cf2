"""What an endpoint gives out: bytes to send, and events for who answers or places the calls. Plain data.

Of a call that came in: `CallOffered`, then what becomes of it, then one `SipCallEnded`. Of a call that we place:
`Ringing` any number of times, then either `CallEstablished`, …, `SipCallEnded`, or one `CallFailed`. Nothing of a call
comes after `SipCallEnded` or `CallFailed`.
"""

from typing import Literal, TypeAlias

from msgspec import Struct

from ivr.sip.media_plan import HostPort, MediaPlan
from ivr.sip.message import Request

Transport: TypeAlias = Literal["udp", "tcp", "tls"]


class Link(Struct, frozen=True):
    """A way to a peer that is open: a pair of UDP addresses, or a connection."""

    transport: Transport
    local: HostPort
    "What Via and Contact name: an address at which the peer reaches us, by this transport."
    remote: HostPort
    connection: int = 0
    "The number of an open connection, from 1; 0 for UDP."


class Hop(Struct, frozen=True):
    """Where a request goes for which no link is open yet: who has the sockets resolves the name and connects."""

    transport: Transport
    host: str
    port: int


class Send(Struct, frozen=True, tag=True):
    """Send this message."""

    to: Link | Hop
    data: bytes


# --- calls that came in ----------------------------------------------------------------------------------------------


class CallOffered(Struct, frozen=True, tag=True):
    """A call came in, passed all checks, and got its 100: `ring`, `answer`, `reject` or `redirect` it."""

    call: str
    "The call's handle, for commands and later events."
    invite: Request
    link: Link
    trusted: bool
    "Whether the policy trusts what the peer asserts, as in P-Asserted-Identity (RFC 3325)."
    offer: bytes | None
    "The SDP of the INVITE; None: our 200 brings the offer, and the ACK its answer."


# --- any call --------------------------------------------------------------------------------------------------------


class CallEstablished(Struct, frozen=True, tag=True):
    """The dialog is confirmed and the media is agreed: of a call that came in by its ACK, of ours by its 200."""

    call: str
    plan: MediaPlan


class MediaChanged(Struct, frozen=True, tag=True):
    """What is sent and received from now on.

    It comes with the 200 of a call whose INVITE had an offer (before `CallEstablished`, since sound starts there), with
    early media of a call that we place, and by re-INVITE or UPDATE.
    """

    call: str
    plan: MediaPlan


class KeyPressed(Struct, frozen=True, tag=True):
    """A key came by INFO, not by RTP."""

    call: str
    key: str
    "One of `0`-`9`, `*`, `#`, `A`-`D`."


class TransferNotified(Struct, frozen=True, tag=True):
    """How far the transfer is that `refer` asked for (RFC 3515 2.4.5).

    After `done` with a 2xx the endpoint hangs up by itself; with another status the call goes on.
    """

    call: str
    status: int
    "As in the peer's NOTIFY, or what it answered to the REFER; 408: it told nothing more in time."
    done: bool


class SipCallEnded(Struct, frozen=True, tag=True):
    """The call is over, and its handle is free."""

    call: str
    by: Literal["remote", "local", "timeout", "error"]
    "`remote`: BYE or CANCEL; `timeout`: no ACK, no refresh of the session, rung too long; `error`: no media agreed, …"
    cause: str
    "A short sentence for logs, without anything that the peer wrote."
    reason_header: str = ""
    "The peer's Reason (RFC 3326), with the Q.850 cause; hostile text."


# --- calls that we place ---------------------------------------------------------------------------------------------


class Ringing(Struct, frozen=True, tag=True):
    """A provisional answer other than 100 came."""

    call: str
    status: int


class CallFailed(Struct, frozen=True, tag=True):
    """The call was not answered; its handle is free."""

    call: str
    status: int
    "The final answer's; 408: none came; 487: we cancelled; 503: it could not be sent."
    reason: str
    "The reason phrase; hostile text."
    contacts: tuple[str, ...] = ()
    "Where a 3xx points to; nothing follows it by itself."
    silent: bool = False
    "Nothing at all came from there, not even a provisional answer: it is not known whether anybody is there."


# --- registration ----------------------------------------------------------------------------------------------------


class Registered(Struct, frozen=True, tag=True):
    """The registrar took the registration; it is refreshed by itself."""

    expires: float
    "Seconds that were granted; 0: un-registered, and over."


class RegistrationFailed(Struct, frozen=True, tag=True):
    """The registrar refused, or did not answer."""

    status: int
    "408: no answer; 503: it could not be sent."
    reason: str
    retry_in: float | None
    "Seconds until it is tried again; None: never."


Event: TypeAlias = (
    CallOffered
    | CallEstablished
    | MediaChanged
    | KeyPressed
    | TransferNotified
    | SipCallEnded
    | Ringing
    | CallFailed
    | Registered
    | RegistrationFailed
)
Output: TypeAlias = Send | Event
