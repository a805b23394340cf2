"""A call from the 2xx to its end: what is known of it, and how it ends (RFC 3261 13, 14, 15).

```
state       | what happens                          | next        | what is done
------------+---------------------------------------+-------------+-------------------------------------------------
accepted    | T1, 2*T1, … T2 (by any transport)     | accepted    | our 200 again (13.3.1.4)
accepted    | ACK                                   | established | CallEstablished; a late offer: if it has an answer
accepted    | no ACK in 64*T1                       | leaving     | BYE, SipCallEnded
accepted    | hang up                               | leaving     | SipCallEnded; BYE after the ACK or 64*T1 (15)
established | hang up, no refresh, 408 or 481 to us | leaving     | BYE, SipCallEnded
any         | BYE                                   | over        | 200, SipCallEnded (15.1.2)
leaving     | final answer to our BYE, or none      | over        | nothing
established | what else the peer asks for           | established | see `in_dialog`
established | what else we ask for                  | established | see `own_requests`
```

The media of a call that is established may change: each of our descriptions of it (SDP) has one number more than the
last one (RFC 3264 8).
"""

from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from ivr.sip import dialog as dialogs
from ivr.sip.client_transaction import ClientKey, client_key
from ivr.sip.dialog import Dialog
from ivr.sip.media_plan import MediaPlan
from ivr.sip.negotiation import LocalMedia
from ivr.sip.outputs import SipCallEnded
from ivr.sip.server_transaction import ServerKey
from ivr.sip.session_timer import SessionTimer
from ivr.sip.sip_call import Ask, CallStep, Credentials, Effect, RepeatAnswer, SipCall, dialog_key
from ivr.sip.timers import TIMEOUT, Repeats, earliest, repeats


class Unacknowledged(Struct, frozen=True):
    """A 2xx of ours to an INVITE, until its ACK."""

    key: ServerKey
    number: int
    "The CSeq of the INVITE and of its ACK."
    repeats: Repeats
    ends: float
    offered: LocalMedia | None
    "What the 2xx offers, if the INVITE did not; the answer is in the ACK (RFC 3261 13.2.1)."


class Asked(Struct, frozen=True):
    """An INVITE or UPDATE of ours in the dialog, until it is answered."""

    key: ClientKey
    method: Literal["INVITE", "UPDATE"]
    local: LocalMedia | None
    "What it offers; None: nothing, it only refreshes the session."
    refresh: bool
    proofs: int = 0
    "How often it was sent with credentials."


class Postponed(Struct, frozen=True):
    """A re-INVITE of ours that waits, since the peer was faster or another runs (RFC 3261 14.1)."""

    due: float
    local: LocalMedia | None
    "None: to refresh the session."


class Referral(Struct, frozen=True):
    """A REFER of ours, until its last NOTIFY (RFC 3515)."""

    key: ClientKey
    target: str
    ends: float
    proofs: int = 0
    number: int = 0
    "Its CSeq."


class Leaving(Struct, frozen=True):
    """Our BYE, until it is answered."""

    key: ClientKey | None = None
    "None: it waits for the ACK of our 200."
    reason: str = ""
    proofs: int = 0
    unproven: bool = False
    "No ACK came: a forged INVITE must not have a BYE sent, and repeated, to whomever its Contact names."


class LiveCall(SipCall, frozen=True, kw_only=True):
    """A call that was answered."""

    dialog: Dialog
    outgoing: bool
    local: LocalMedia
    "As last offered or answered."
    body: bytes
    "Our last SDP."
    plan: MediaPlan | None
    "None: we offered, and the answer did not come yet."
    state: Literal["accepted", "established", "leaving"] = "established"
    unacknowledged: Unacknowledged | None = None
    timer: SessionTimer | None = None
    asked: Asked | None = None
    postponed: Postponed | None = None
    referral: Referral | None = None
    to_refer: str = ""
    "Whom the peer is asked to call as soon as the ACK is there."
    leaving: Leaving | None = None
    peer_updates: bool = False
    "Whether the peer's Allow has UPDATE."
    credentials: Credentials | None = None

    @property
    def dialog_key(self) -> tuple[str, str]:
        """Call-ID and our tag."""
        return dialog_key(self.dialog)

    @property
    def deadline(self) -> float | None:
        """When `tick` is due."""
        waiting = self.unacknowledged
        return earliest(
            waiting.repeats.due if waiting else None,
            waiting.ends if waiting else None,
            self.timer.deadline if self.timer else None,
            self.postponed.due if self.postponed else None,
            self.referral.ends if self.referral else None,
        )


def unacknowledged(key: ServerKey, number: int, offered: LocalMedia | None, now: float) -> Unacknowledged:
    """Return the state of a 2xx that is sent now."""
    return Unacknowledged(key, number, repeats(now), now + TIMEOUT, offered)


def repeated(call: LiveCall, waiting: Unacknowledged, now: float) -> CallStep:
    """Send a 2xx again."""
    after = replace(call, unacknowledged=replace(waiting, repeats=waiting.repeats.after(now)))
    return CallStep(after, (RepeatAnswer(waiting.key),))


def next_media(local: LocalMedia) -> LocalMedia:
    """Return what our next SDP is made of: its number is one more (RFC 3264 8)."""
    return replace(local, version=local.version + 1)


def ended_by_peer(call: LiveCall, reason: str) -> tuple[LiveCall, tuple[Effect, ...]]:
    """End the call for the peer's BYE; the event comes unless it had ended for us already."""
    over = replace(_bare(call), over=True)
    if call.state == "leaving":
        return over, ()
    return over, (
        SipCallEnded(call.handle, "remote", "the caller hung up" if not call.outgoing else "the peer hung up", reason),
    )


def left(
    call: LiveCall,
    by: Literal["local", "timeout", "error"],
    cause: str,
    *,
    reason: str = "",
    quiet: bool = False,
    unproven: bool = False,
) -> CallStep:
    """End the call: with a BYE, which waits if our 200 has no ACK yet (RFC 3261 15).

    `reason` is for the BYE (RFC 3326); `quiet`: there is no event, since the call has ended for its owner already;
    `unproven`: as in `Leaving`.
    """
    if call.state == "leaving":
        return CallStep(call)
    events: tuple[Effect, ...] = () if quiet else (SipCallEnded(call.handle, by, cause),)
    waiting = call.unacknowledged if call.state == "accepted" else None
    call = replace(
        _bare(call), state="leaving", leaving=Leaving(reason=reason, unproven=unproven), unacknowledged=waiting
    )
    if waiting is not None:
        return CallStep(call, events)
    step = bye(call)
    return CallStep(step.call, events + step.effects)


def bye(call: LiveCall, *extra: tuple[str, str], proofs: int = 0) -> CallStep:
    """Send the BYE of a call that is left; `extra`: credentials."""
    leaving = call.leaving or Leaving()
    headers = (("Reason", leaving.reason),) if leaving.reason else ()
    dialog, request, where = dialogs.request(call.dialog, "BYE", (*headers, *extra), back=leaving.unproven)
    leaving = replace(leaving, key=client_key(request), proofs=proofs)
    return CallStep(replace(call, dialog=dialog, leaving=leaving, unacknowledged=None), (Ask(request, where),))


def _bare(call: LiveCall) -> LiveCall:
    """Return the call without anything that is still to come."""
    return replace(call, unacknowledged=None, timer=None, asked=None, postponed=None, referral=None, to_refer="")
