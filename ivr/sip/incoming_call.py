"""A call that came in, until its final answer (RFC 3261 13.3, RFC 3262).

```
state    | what happens                        | next     | what is done
---------+-------------------------------------+----------+--------------------------------------------------------------
-        | INVITE that passed all checks       | offered  | 100, CallOffered
offered  | ring                                | ringing  | 180; with RSeq if the INVITE requires 100rel
ringing  | a minute                            | ringing  | 180 again, for proxies on the way (13.3.1.1)
ringing  | T1, 2*T1, … without PRACK           | ringing  | the same 180 (RFC 3262 3)
ringing  | no PRACK in 64*T1                   | over     | 504, SipCallEnded
ringing  | PRACK                               | ringing  | 200; and an answer that waited
any      | answer                              | LiveCall | 200 with SDP, MediaChanged; while a PRACK is awaited: later
any      | reject, redirect                    | over     | 3xx-6xx, SipCallEnded
any      | CANCEL (9.2), BYE (15.1.2)          | over     | 200 to it, 487 to the INVITE, SipCallEnded
any      | rung too long, or as Expires says   | over     | 480 or 487, SipCallEnded
any      | OPTIONS, INFO, UPDATE without SDP   | as it was| 200
any      | INVITE, UPDATE with SDP             | as it was| 500 with Retry-After: one is unanswered (14.2, RFC 3311 5.2)
```

An INVITE without an offer that requires 100rel is not rung: a reliable 180 would have to bring our offer (13.2.1), and
the media is not there before the answer.
"""

import re
from collections.abc import Sequence
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from ivr.sip import session_timer
from ivr.sip.bodies import sdp_of
from ivr.sip.dialog import Dialog, own_contact
from ivr.sip.live_call import LiveCall, unacknowledged
from ivr.sip.media_plan import MediaPlan
from ivr.sip.message import Request, cseq, reasons
from ivr.sip.negotiation import LocalMedia
from ivr.sip.negotiation import answer as answer_offer
from ivr.sip.negotiation import offer as make_offer
from ivr.sip.outputs import CallOffered, MediaChanged, SipCallEnded
from ivr.sip.responses import bad_extension, capabilities, not_allowed, respond, unknown_extensions
from ivr.sip.server_transaction import ServerKey
from ivr.sip.sip_call import CallStep, Credentials, Effect, RepeatAnswer, Respond, SipCall, dialog_key
from ivr.sip.timers import TIMEOUT, Repeats, earliest, repeats

RING_AGAIN = 60.0
"Seconds between provisional answers (RFC 3261 13.3.1.1)."

_RACK = re.compile(r"([0-9]{1,10})\s+([0-9]{1,10})\s+INVITE")


class ReliableRinging(Struct, frozen=True):
    """A 180 that waits for its PRACK (RFC 3262 3)."""

    rseq: int
    repeats: Repeats
    ends: float


class IncomingCall(SipCall, frozen=True, kw_only=True):
    """An INVITE that has no final answer yet."""

    invite: Request
    key: ServerKey
    dialog: Dialog
    offer: bytes | None
    rseq: int
    "Of a reliable 180; random, below 2**31 (RFC 3262 3)."
    ends: float
    "When it has rung for too long."
    expires: float | None
    "When the caller gives up (RFC 3261 20.19)."
    ringing: bool = False
    ring_again: float | None = None
    unproved: ReliableRinging | None = None
    "Until the PRACK came."
    waiting: LocalMedia | None = None
    "What to answer with as soon as the PRACK came."
    credentials: Credentials | None = None

    @property
    def dialog_key(self) -> tuple[str, str]:
        """Call-ID and our tag."""
        return dialog_key(self.dialog)

    @property
    def deadline(self) -> float | None:
        """When `tick` is due."""
        reliable = self.unproved
        return earliest(
            self.ends,
            self.expires,
            self.ring_again,
            reliable.repeats.due if reliable else None,
            reliable.ends if reliable else None,
        )


def offered(call: IncomingCall, *, trusted: bool) -> CallStep:
    """Begin: the INVITE passed all checks."""
    event = CallOffered(call.handle, call.invite, call.dialog.link, trusted, call.offer)
    return CallStep(call, (Respond(call.key, respond(call.invite, 100)), event))


def expiry(invite: Request, now: float) -> float | None:
    """Return when an INVITE is not to be answered any more by its Expires."""
    value = invite.headers.get("Expires") or ""
    return now + int(value) if value.isascii() and value.isdigit() and 0 < len(value) < 10 else None


def ring(call: IncomingCall, now: float) -> CallStep:
    """Send 180, once."""
    if call.ringing:
        return CallStep(call)
    call = replace(call, ringing=True)
    if not _requires_100rel(call.invite):
        return _rung(call, now)
    if call.offer is None:
        return CallStep(call)
    reliable = ReliableRinging(call.rseq, repeats(now, TIMEOUT), now + TIMEOUT)
    headers = (("Require", "100rel"), ("RSeq", str(call.rseq)))
    return CallStep(replace(call, unproved=reliable), (_answered(call, 180, headers),))


def answer(call: IncomingCall, local: LocalMedia, now: float) -> CallStep:
    """Answer the call with this media; a 180 that waits for its PRACK comes first (RFC 3262 3)."""
    if call.unproved is not None:
        return CallStep(replace(call, waiting=local))
    plan: MediaPlan | None = None
    if call.offer is None:
        body = make_offer(local)
    else:
        agreed = answer_offer(call.offer, local)
        if agreed is None:
            return refuse(call, 488, by="error", cause="no media that both sides have")
        body, plan = agreed
    timer = session_timer.of_request(call.invite, None, now)
    headers = (*capabilities(), *session_timer.answer_headers(timer, call.invite))
    waits = unacknowledged(call.key, cseq(call.invite).number, None if plan else local, now)
    live = LiveCall(
        handle=call.handle, config=call.config, dialog=call.dialog, outgoing=False, local=local, body=body, plan=plan,
        state="accepted", unacknowledged=waits, timer=timer, peer_updates="UPDATE" in call.invite.headers.all("Allow"),
        credentials=call.credentials,
    )  # fmt: skip
    effects: tuple[Effect, ...] = (_answered(call, 200, headers, body=body),)
    return CallStep(live, (*effects, MediaChanged(call.handle, plan)) if plan else effects)


def refuse(
    call: IncomingCall,
    status: int,
    *,
    by: Literal["remote", "local", "timeout", "error"],
    cause: str,
    reason: str = "",
    headers: Sequence[tuple[str, str]] = (),
    reason_header: str = "",
) -> CallStep:
    """Refuse or redirect the call, which is over with it."""
    effects = (_answered(call, status, headers, reason=reason), SipCallEnded(call.handle, by, cause, reason_header))
    return CallStep(replace(call, over=True), effects)


def cancelled(call: IncomingCall, reason_header: str) -> CallStep:
    """End the call for the caller's CANCEL (RFC 3261 9.2)."""
    return refuse(call, 487, by="remote", cause="the caller hung up before the answer", reason_header=reason_header)


def received(call: IncomingCall, request: Request, key: ServerKey, now: float) -> CallStep:
    """Answer a request of the caller in the early dialog."""
    number = cseq(request).number
    if number <= call.dialog.remote_cseq:
        return CallStep(call, (Respond(key, respond(request, 500)),))  # RFC 3261 12.2.2
    call = replace(call, dialog=replace(call.dialog, remote_cseq=number))
    if unknown := unknown_extensions(request):
        return CallStep(call, (Respond(key, bad_extension(request, unknown)),))
    match request.method:
        case "BYE":
            step = cancelled(call, reasons(request))
            return CallStep(step.call, (Respond(key, respond(request, 200)), *step.effects))
        case "PRACK":
            return _pracked(call, request, key, now)
        case "UPDATE" if sdp_of(request) is None:
            return CallStep(call, (Respond(key, respond(request, 200, _contact(call))),))
        case "OPTIONS":
            return CallStep(call, (Respond(key, respond(request, 200, capabilities())),))
        case "INFO":
            return CallStep(call, (Respond(key, respond(request, 200)),))
        case "INVITE" | "UPDATE":
            return CallStep(call, (Respond(key, respond(request, 500, [("Retry-After", "2")])),))
    return CallStep(call, (Respond(key, not_allowed(request)),))


def tick(call: IncomingCall, now: float) -> CallStep:
    """Apply what is due."""
    if call.expires is not None and now >= call.expires:
        return refuse(call, 487, by="timeout", cause="the caller's Expires is over")
    if now >= call.ends:
        return refuse(call, 480, by="timeout", cause="it rang for too long")
    reliable = call.unproved
    if reliable is not None and now >= reliable.ends:
        return refuse(call, 504, by="timeout", cause="no PRACK came")
    if reliable is not None and now >= reliable.repeats.due:
        again = replace(reliable, repeats=reliable.repeats.after(now))
        return CallStep(replace(call, unproved=again), (RepeatAnswer(call.key),))
    if call.ring_again is not None and now >= call.ring_again:
        return _rung(call, now)
    return CallStep(call)


def _pracked(call: IncomingCall, request: Request, key: ServerKey, now: float) -> CallStep:
    found = _RACK.fullmatch(request.headers.get("RAck") or "")
    expected = (call.unproved.rseq, cseq(call.invite).number) if call.unproved else None
    if found is None or (int(found[1]), int(found[2])) != expected:
        return CallStep(call, (Respond(key, respond(request, 481)),))  # RFC 3262 3
    call = replace(call, unproved=None)
    ok = Respond(key, respond(request, 200))
    if call.waiting is None:
        return CallStep(call, (ok,))
    step = answer(call, call.waiting, now)
    return CallStep(step.call, (ok, *step.effects))


def _rung(call: IncomingCall, now: float) -> CallStep:
    return CallStep(replace(call, ring_again=now + RING_AGAIN), (_answered(call, 180),))


def _answered(
    call: IncomingCall, status: int, headers: Sequence[tuple[str, str]] = (), *, reason: str = "", body: bytes = b""
) -> Respond:
    if 100 < status < 300:
        headers = (*_contact(call), *headers)
    response = respond(call.invite, status, headers, tag=call.dialog.local.tag, reason=reason, body=body)
    return Respond(call.key, response)


def _contact(call: IncomingCall) -> tuple[tuple[str, str], ...]:
    return (("Contact", own_contact(call.dialog.link, call.dialog.name)),)


def _requires_100rel(invite: Request) -> bool:
    return any(each.lower() == "100rel" for each in invite.headers.all("Require"))
