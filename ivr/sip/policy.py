"""What the operator decides: who may call, what is served, and how much of it. The endpoint asks, and keeps to it."""

from typing import Protocol, TypeAlias

from msgspec import Struct

from ivr.sip.digest import ALGORITHMS, Algorithm
from ivr.sip.media_plan import CodecName
from ivr.sip.message import Request
from ivr.sip.outputs import Link


class Allowed(Struct, frozen=True):
    """The request is taken without a password."""

    trusted: bool = False
    "Whether to trust what the peer asserts of the caller (RFC 3325)."


class Refused(Struct, frozen=True):
    """The request gets this answer, and nothing else happens."""

    status: int = 403
    retry_after: int | None = None
    "Seconds, for a 503."


class Challenge(Struct, frozen=True):
    """The request must bring digest credentials that `password_of` knows (RFC 3261 22)."""


class Silence(Struct, frozen=True):
    """There is no answer at all: for scanners and floods, which learn nothing and are not amplified."""


Admission: TypeAlias = Allowed | Refused | Challenge | Silence


class Policy(Protocol):
    """The decisions of an operator; each method answers at once and does not wait for anything."""

    @property
    def realm(self) -> str:
        """What challenges name as their realm."""

    @property
    def secret(self) -> bytes:
        """What nonces are signed with: unpredictable, the same for as long as the process runs."""

    @property
    def draining(self) -> bool:
        """Whether no call is taken any more; OPTIONS gets 503, too, so that load balancers turn away."""

    @property
    def full(self) -> bool:
        """Whether no call is taken now."""

    def admit(self, request: Request, link: Link, now: float) -> Admission:
        """Decide on a request outside of any dialog, once: repeats get the same answer, unless that was silence."""

    def serves(self, request: Request) -> bool:
        """Return whether the called number leads anywhere; else 404."""

    def password_of(self, user: str) -> str | None:
        """Return a user's password; None: there is no such user."""


class EndpointConfig(Struct, frozen=True):
    """What an endpoint is, and the limits of its tables. Counts are of one endpoint."""

    codecs: tuple[CodecName, ...] = ("PCMA", "PCMU")
    "What calls that come in may use; an INVITE that offers none of them gets 488."
    algorithms: tuple[Algorithm, ...] = ALGORITHMS
    "What callers may prove passwords with, as challenges name them; old telephones read the first challenge alone."
    srtp: bool = False
    "Whether RTP/SAVP may be agreed on: the SRTP library is there."
    srtp_without_tls: bool = False
    "Whether its keys may also come by UDP and TCP, where others can read them."
    name: str = "ivr"
    "For User-Agent and the user part of Contact."
    longest_ringing: float = 180.0
    "Seconds after which a call that came in and was not answered gets 480, and one that we place is cancelled."
    most_calls: int = 1000
    "Calls at once, of both directions; an INVITE beyond gets 503. Those whose BYE waits for its answer do not count."
    most_unanswered: int = 200
    "INVITEs of one address whose call is not established yet; one beyond gets 503."
    most_transactions: int = 20_000
    "Answers kept for repeats; the oldest is forgotten first."
    most_answer_bytes: int = 64 << 20
    "How large these answers may be together: they hold what the requests said."
