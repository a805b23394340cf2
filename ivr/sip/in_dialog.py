"""What the peer asks for in a call that was answered (RFC 3261 12.2.2, 14.2, 15.1.2, RFC 3311, RFC 6086).

The checks come in this order: CSeq (500), known extensions (420), then the method's own.

```
request           | answer
------------------+--------------------------------------------------------------------------------------------------
ACK               | none; with the CSeq of our 2xx it confirms it, and brings the answer if the 2xx had the offer
BYE               | 200; the call is over
INVITE, UPDATE    | 422 for a session timer that is too short; 491 while an offer of ours has no answer (14.2, RFC
                  | 3311 5.2); 415, 488: all stays as it was; else 200, and with SDP the media changes to what it says
INVITE without SDP| 200 with our last SDP as an offer; the answer is in the ACK
OPTIONS           | 200; like INVITE and UPDATE it shows that the peer is there, and restarts the session timer
PRACK             | 481: after the final answer none is awaited (RFC 3262 3)
INFO              | 200; a key in application/dtmf-relay or application/dtmf
NOTIFY            | 200 if we asked for it by a REFER, see `referral`; else 405
REFER and others  | 405: no call is made for a caller
```
"""

import re

from msgspec.structs import replace

from ivr.sip import dialog as dialogs
from ivr.sip import referral, session_timer
from ivr.sip.bodies import Unsupported, sdp_of
from ivr.sip.live_call import LiveCall, bye, ended_by_peer, left, next_media, unacknowledged
from ivr.sip.media_plan import MediaPlan
from ivr.sip.message import Request, cseq, reasons
from ivr.sip.negotiation import LocalMedia, accepted
from ivr.sip.negotiation import answer as answer_offer
from ivr.sip.negotiation import offer as make_offer
from ivr.sip.outputs import CallEstablished, KeyPressed, Link, MediaChanged
from ivr.sip.responses import bad_extension, capabilities, not_allowed, respond, unknown_extensions, unsupported_body
from ivr.sip.server_transaction import ServerKey
from ivr.sip.sip_call import CallStep, Effect, Respond

_SIGNAL = re.compile(rb"(?:^|\n)\s*Signal\s*=\s*([0-9A-Da-d*#]{1,2})\s*(?:\r|\n|$)", re.IGNORECASE)
_KEY = re.compile(rb"\s*([0-9A-Da-d*#]{1,2})\s*")
_NUMBERED = {**{str(number): "0123456789*#ABCD"[number] for number in range(16)}, "*": "*", "#": "#"}
"Keys as gateways write them: by their character or by the number of the event (RFC 4733 3.2)."


def received(call: LiveCall, request: Request, key: ServerKey, link: Link, now: float) -> CallStep:
    """Answer a request of the peer."""
    number = cseq(request).number
    if number <= call.dialog.remote_cseq:
        return CallStep(call, (Respond(key, respond(request, 500)),))
    call = replace(call, dialog=replace(call.dialog, remote_cseq=number, link=link))
    if unknown := unknown_extensions(request):
        return CallStep(call, (Respond(key, bad_extension(request, unknown)),))
    if request.method == "BYE":
        over, effects = ended_by_peer(call, reasons(request))
        return CallStep(over, (Respond(key, respond(request, 200)), *effects))
    if call.state == "leaving":
        return CallStep(call, (Respond(key, respond(request, 481)),))
    match request.method:
        case "INVITE" | "UPDATE":
            return _changed(call, request, key, now)
        case "OPTIONS":
            return CallStep(_seen(call, now), (Respond(key, respond(request, 200, capabilities())),))
        case "INFO":
            return _info(call, request, key)
        case "NOTIFY" if call.referral is not None:
            return referral.notified(call, request, key)
        case "PRACK":
            return CallStep(call, (Respond(key, respond(request, 481)),))
    return CallStep(call, (Respond(key, not_allowed(request)),))


def acknowledged(call: LiveCall, ack: Request, now: float) -> CallStep:
    """Take an ACK; one that comes again, or for another INVITE, changes nothing."""
    waiting = call.unacknowledged
    if waiting is None or cseq(ack).number != waiting.number:
        return CallStep(call)
    call = replace(call, unacknowledged=None)
    if call.leaving is not None:
        return bye(call)
    first = call.state == "accepted"
    plan = call.plan if waiting.offered is None else _answer_of(ack, waiting.offered)
    if plan is None:  # nothing was agreed; a call that had something before keeps it
        return left(call, "error", "the ACK has no answer to our offer") if call.plan is None else CallStep(call)
    call = replace(call, plan=plan, local=waiting.offered or call.local, state="established")
    events: tuple[Effect, ...] = (MediaChanged(call.handle, plan),) if waiting.offered is not None else ()
    if first:
        events = (CallEstablished(call.handle, plan),)
    step = referral.refer(replace(call, to_refer=""), call.to_refer, now) if call.to_refer else CallStep(call)
    return CallStep(step.call, events + step.effects)


def _changed(call: LiveCall, request: Request, key: ServerKey, now: float) -> CallStep:
    if session_timer.too_short(request):
        return CallStep(call, (Respond(key, session_timer.refusal(request)),))
    offer = sdp_of(request)
    if isinstance(offer, Unsupported):
        return CallStep(call, (Respond(key, unsupported_body(request)),))
    if _offer_pending(call) and (offer is not None or request.method == "INVITE"):
        return CallStep(call, (Respond(key, respond(request, 491)),))
    local, body, plan = call.local, b"", call.plan
    if offer is not None:
        local = next_media(call.local)
        agreed = answer_offer(offer, local)
        if agreed is None:
            return CallStep(call, (Respond(key, respond(request, 488)),))
        body, plan = agreed
    elif request.method == "INVITE":
        local, body = _offered_again(call)
    timer = session_timer.of_request(request, call.timer, now)
    headers = (("Contact", dialogs.own_contact(call.dialog.link, call.dialog.name)), *capabilities())
    headers += session_timer.answer_headers(timer, request)
    established: tuple[Effect, ...] = ()
    if request.method == "INVITE":
        established = _implied_ack(call)
        waits = unacknowledged(key, cseq(request).number, local if offer is None else None, now)
        call = replace(call, unacknowledged=waits, state="established")
    call = replace(call, dialog=dialogs.refreshed(call.dialog, request), timer=timer)
    if body:
        call = replace(call, local=local, body=body, plan=plan)
    effects = (*established, Respond(key, respond(request, 200, headers, body=body)))
    changed = (MediaChanged(call.handle, plan),) if offer is not None and plan is not None else ()
    return CallStep(call, effects + changed)


def _implied_ack(call: LiveCall) -> tuple[Effect, ...]:
    """Return what a new INVITE means for a 2xx that has no ACK yet: the peer has gone on, so the ACK got lost.

    Our 2xx had no offer, else the INVITE got a 491 (RFC 5407 3.1.4 has the cases).
    """
    if call.state == "accepted" and call.plan is not None:
        return (CallEstablished(call.handle, call.plan),)
    return ()


def _offer_pending(call: LiveCall) -> bool:
    """Return whether an offer of ours has no answer: in a request of ours, or in a 2xx without ACK."""
    ours = call.asked is not None and call.asked.method == "INVITE"
    return ours or (call.unacknowledged is not None and call.unacknowledged.offered is not None)


def _offered_again(call: LiveCall) -> tuple[LocalMedia, bytes]:
    """Return what to offer to a peer that asks for an offer: our last SDP, unless it says hold.

    Hold was the peer's wish; an offer says what we want (RFC 6337 5.3).
    """
    if call.plan is None or call.plan.direction == call.local.direction:
        return call.local, call.body
    local = next_media(call.local)
    return local, make_offer(local)


def _answer_of(ack: Request, offered: LocalMedia) -> MediaPlan | None:
    answer = sdp_of(ack)
    return accepted(answer, offered) if isinstance(answer, bytes) else None


def _info(call: LiveCall, request: Request, key: ServerKey) -> CallStep:
    pressed = key_of(request)
    ok = Respond(key, respond(request, 200))
    if pressed is None or call.state != "established":
        return CallStep(call, (ok,))
    return CallStep(call, (ok, KeyPressed(call.handle, pressed)))


def key_of(info: Request) -> str | None:
    """Return the key that an INFO brings; None: none, or one that no telephone has."""
    kind = (info.headers.get("Content-Type") or "").partition(";")[0].strip().lower()
    if kind == "application/dtmf-relay":
        found = _SIGNAL.search(info.body)
    elif kind == "application/dtmf":
        found = _KEY.fullmatch(info.body)
    else:
        return None
    if found is None:
        return None
    text = found[1].decode().upper()
    return _NUMBERED.get(text) or (text if text in ("A", "B", "C", "D") else None)


def _seen(call: LiveCall, now: float) -> LiveCall:
    return replace(call, timer=session_timer.restarted(call.timer, now)) if call.timer else call
