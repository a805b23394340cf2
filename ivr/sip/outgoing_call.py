"""A call that we place, until it is answered (RFC 3261 13.2, RFC 3262 4, 9.1 for CANCEL).

```
state      | what happens                     | next       | what is done
-----------+----------------------------------+------------+---------------------------------------------------------
-          | dial                             | calling    | INVITE with our offer
calling    | 1xx                              | proceeding | a CANCEL that waited
proceeding | 101-199                          | proceeding | Ringing; with SDP: MediaChanged; if reliable: PRACK
calling, … | 2xx                              | LiveCall   | ACK, CallEstablished; no usable SDP: ACK, BYE, CallFailed
calling, … | 401, 407                         | calling    | INVITE with credentials, once
calling, … | 300-699, no answer, not sent     | over       | CallFailed (the transaction makes the ACK)
calling    | cancel                           | cancelling | CallFailed; CANCEL after the first 1xx (9.1)
proceeding | cancel, rung too long, BYE       | cancelling | CallFailed, CANCEL
cancelling | 300-699, or nothing in 64*T1     | over       | nothing
cancelling | 2xx: it was faster               | LiveCall   | ACK and BYE
any        | a request of the peer            | as it was  | UPDATE with SDP: 491, ours is unanswered (RFC 3311 5.2);
           |                                  |            | OPTIONS, INFO, UPDATE: 200; others: 405, INVITE: 491
```

Each To tag is a dialog of its own (a forked INVITE). The first that answers 2xx is the call, others are ended.
"""

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from ivr.sip import dialog as dialogs
from ivr.sip import session_timer
from ivr.sip.addresses import parse_name_address
from ivr.sip.bodies import sdp_of
from ivr.sip.client_transaction import MOST_FORKS, client_key
from ivr.sip.dialog import Dialog, branch, own_contact, own_via
from ivr.sip.live_call import LiveCall, left
from ivr.sip.media_plan import MediaPlan
from ivr.sip.message import Headers, Request, Response, call_id, contact, cseq, from_, routes, to
from ivr.sip.negotiation import LocalMedia, accepted
from ivr.sip.negotiation import offer as make_offer
from ivr.sip.outputs import CallEstablished, CallFailed, Link, MediaChanged, Ringing
from ivr.sip.proving import proof
from ivr.sip.responses import bad_extension, capabilities, not_allowed, respond, unknown_extensions
from ivr.sip.server_transaction import ServerKey
from ivr.sip.sip_call import Abandon, Acknowledge, Ask, CallStep, Credentials, Effect, Respond, SipCall
from ivr.sip.timers import TIMEOUT, earliest


class Fork(Struct, frozen=True):
    """An early dialog, one for each To tag of the answers."""

    dialog: Dialog
    rseq: int = 0
    "The number of the last reliable answer (RFC 3262 4); 0: none came."
    plan: MediaPlan | None = None
    "What its answer came to, if it brought one."


class OutgoingCall(SipCall, frozen=True, kw_only=True):
    """An INVITE of ours without a final answer."""

    invite: Request
    link: Link
    seed: str
    local: LocalMedia
    ends: float
    "When it has rung for too long; while cancelling: when no answer is waited for."
    state: Literal["calling", "proceeding", "cancelling"] = "calling"
    cancel_waits: bool = False
    "A CANCEL is due, and may not be sent before a provisional answer (RFC 3261 9.1)."
    forks: tuple[Fork, ...] = ()
    credentials: Credentials | None = None
    proofs: int = 0

    @property
    def dialog_key(self) -> tuple[str, str]:
        """Call-ID and our tag."""
        return call_id(self.invite), from_(self.invite).tag

    @property
    def deadline(self) -> float | None:
        """When `tick` is due."""
        return earliest(self.ends)


def dialled(call: OutgoingCall) -> CallStep:
    """Begin: send the INVITE."""
    return CallStep(call, (Ask(call.invite, call.link),))


def invite(
    uri: str, link: Link, local: LocalMedia, *, caller: str, tag: str, identity: str, seed: str, name: str,
    headers: Sequence[tuple[str, str]] = (),
) -> Request:  # fmt: skip
    """Return the INVITE of a new call (RFC 3261 8.1.1, 13.2.1); `caller` is the value of From, without a tag."""
    fields = [
        ("Via", own_via(link, link, branch(seed, 1, "INVITE"))),
        ("Max-Forwards", "70"),
        ("From", parse_name_address(caller).with_tag(tag).text),
        ("To", f"<{uri}>"),
        ("Call-ID", identity),
        ("CSeq", "1 INVITE"),
        ("Contact", own_contact(link, name)),
        ("User-Agent", name),
        *capabilities(),
        *headers,
        ("Content-Type", "application/sdp"),
    ]
    return Request("INVITE", uri, Headers.of(*fields), make_offer(local))


def cancel(call: OutgoingCall, now: float, *, status: int = 487, reason: str = "Request Terminated") -> CallStep:
    """Give up the call."""
    if call.state == "cancelling":
        return CallStep(call)
    early = call.state == "calling"
    call = replace(call, state="cancelling", cancel_waits=early, ends=now + TIMEOUT)
    failed = CallFailed(call.handle, status, reason, silent=early)
    return CallStep(call, (failed,) if early else (failed, _cancel(call)))


def responded(call: OutgoingCall, request: Request, response: Response | None, failure: int, now: float) -> CallStep:
    """Take what became of the INVITE: an answer, or 408 or 503 if there is none."""
    if client_key(request) != client_key(call.invite):
        return CallStep(call)
    if response is None:
        words = "Request Timeout" if failure == 408 else "Service Unavailable"
        return _failed(call, failure, words, silent=call.state == "calling")
    if response.status < 200:
        return _provisional(call, response)
    if response.status < 300:
        return _accepted(call, response, now)
    header = proof(call.invite, response, call.credentials, call.seed, call.proofs)
    if header is not None and call.state != "cancelling":
        return _invited_again(call, header, now)
    contacts = tuple(each.uri for each in routes(response, "Contact")) if response.status < 400 else ()
    return _failed(call, response.status, response.reason, contacts)


def received(call: OutgoingCall, request: Request, key: ServerKey, now: float) -> CallStep:
    """Answer a request of the peer in an early dialog."""
    at = next((at for at, fork in enumerate(call.forks) if fork.dialog.remote.tag == from_(request).tag), None)
    if at is None:
        return CallStep(call, (Respond(key, respond(request, 481)),))
    fork, number = call.forks[at], cseq(request).number
    if number <= fork.dialog.remote_cseq:
        return CallStep(call, (Respond(key, respond(request, 500)),))
    call = _with_fork(call, at, replace(fork, dialog=replace(fork.dialog, remote_cseq=number)))
    if unknown := unknown_extensions(request):
        return CallStep(call, (Respond(key, bad_extension(request, unknown)),))
    match request.method:
        case "BYE":  # of a peer that gave up before its 200 came to us
            step = cancel(call, now, status=480, reason="the peer hung up")
            return CallStep(step.call, (Respond(key, respond(request, 200)), *step.effects))
        case "INVITE" | "UPDATE" if request.method == "INVITE" or sdp_of(request) is not None:
            return CallStep(call, (Respond(key, respond(request, 491)),))
        case "OPTIONS" | "INFO" | "UPDATE":
            headers = (("Contact", own_contact(call.link, call.config.name)), *capabilities())
            return CallStep(call, (Respond(key, respond(request, 200, headers)),))
    return CallStep(call, (Respond(key, not_allowed(request)),))


def tick(call: OutgoingCall, now: float) -> CallStep:
    """Apply what is due."""
    if now < call.ends:
        return CallStep(call)
    if call.state == "cancelling":
        return CallStep(replace(call, over=True), (Abandon(client_key(call.invite)),))
    return cancel(call, now, status=408, reason="no answer")


def _cancel(call: OutgoingCall) -> Ask:
    """Return the CANCEL: like the INVITE in Via, Route, From, To and Call-ID (RFC 3261 9.1)."""
    names = ("Route", "Max-Forwards", "From", "To", "Call-ID", "User-Agent")
    fields = [(name, value) for name, value in call.invite.headers if name in names]
    via = ("Via", call.invite.headers.get("Via") or "")
    number = ("CSeq", f"{cseq(call.invite).number} CANCEL")
    return Ask(Request("CANCEL", call.invite.uri, Headers.of(via, *fields, number)), call.link, owned=False)


def _failed(
    call: OutgoingCall, status: int, reason: str, contacts: tuple[str, ...] = (), *, silent: bool = False
) -> CallStep:
    events = () if call.state == "cancelling" else (CallFailed(call.handle, status, reason, contacts, silent),)
    return CallStep(replace(call, over=True), events)


def _invited_again(call: OutgoingCall, header: tuple[str, str], now: float) -> CallStep:
    """Send the INVITE with credentials: the same call, another transaction (RFC 3261 22.2)."""
    number = cseq(call.invite).number + 1
    headers = call.invite.headers.without("Authorization").without("Proxy-Authorization")
    headers = headers.replaced("Via", own_via(call.link, call.link, branch(call.seed, number, "INVITE")))
    headers = headers.replaced("CSeq", f"{number} INVITE").added(*header)
    call = replace(
        call, invite=replace(call.invite, headers=headers), proofs=call.proofs + 1, state="calling", forks=()
    )
    return dialled(replace(call, ends=now + call.config.longest_ringing))


def _provisional(call: OutgoingCall, response: Response) -> CallStep:
    effects: tuple[Effect, ...] = ()
    if call.state == "cancelling":
        if not call.cancel_waits:
            return CallStep(call)
        call = replace(call, cancel_waits=False)
        return CallStep(call, (_cancel(call),))
    call = replace(call, state="proceeding")
    tag = to(response).tag
    if response.status == 100 or not tag:
        ringing = () if response.status == 100 else (Ringing(call.handle, response.status),)
        return CallStep(call, ringing)
    at = next((at for at, fork in enumerate(call.forks) if fork.dialog.remote.tag == tag), len(call.forks))
    if at == len(call.forks):
        if at >= MOST_FORKS:
            return CallStep(call)
        made = dialogs.of_response(call.invite, response, call.link, seed=call.seed, name=call.config.name)
        call = replace(call, forks=(*call.forks, Fork(made)))
    fork = call.forks[at]
    if _is_reliable(response):
        rseq = _rseq(response)
        if rseq is None or (fork.rseq and rseq != fork.rseq + 1):
            return CallStep(call)  # one that was seen, or whose predecessor is missing (RFC 3262 4)
        fork, asks = _pracked(fork, response, rseq, call.invite)
        effects = (asks,)
    body = sdp_of(response)
    plan = accepted(body, call.local) if fork.plan is None and isinstance(body, bytes) else None
    if plan is not None:
        fork = replace(fork, plan=plan)
        effects = (*effects, MediaChanged(call.handle, plan))
    return CallStep(_with_fork(call, at, fork), (Ringing(call.handle, response.status), *effects))


def _pracked(fork: Fork, response: Response, rseq: int, invite: Request) -> tuple[Fork, Ask]:
    """Acknowledge a reliable provisional answer (RFC 3262 4)."""
    dialog = fork.dialog if contact(response) is None else dialogs.refreshed(fork.dialog, response)
    rack = ("RAck", f"{rseq} {cseq(invite).number} INVITE")
    dialog, request, where = dialogs.request(dialog, "PRACK", (rack,))
    return replace(fork, dialog=dialog, rseq=rseq), Ask(request, where, owned=False)


def _accepted(call: OutgoingCall, response: Response, now: float) -> CallStep:
    tag = to(response).tag
    early = next((fork for fork in call.forks if fork.dialog.remote.tag == tag), None)
    made = dialogs.of_response(call.invite, response, call.link, seed=call.seed, name=call.config.name)
    if early is not None:  # the route set is that of the 2xx, the numbers go on (RFC 3261 13.2.2.4)
        numbers = max(early.dialog.local_cseq, made.local_cseq)
        made = replace(made, local_cseq=numbers, remote_cseq=early.dialog.remote_cseq)
    request, where = dialogs.ack(made, cseq(call.invite).number, dialogs.credentials_of(call.invite))
    acked = Acknowledge(client_key(call.invite), request, where)
    body = sdp_of(response)
    plan = accepted(body, call.local) if isinstance(body, bytes) else None
    if plan is None and not isinstance(body, bytes) and early is not None:
        plan = early.plan  # the answer came in a reliable provisional one (RFC 3262 5)
    live = LiveCall(
        handle=call.handle, config=call.config, dialog=made, outgoing=True, local=call.local, body=call.invite.body,
        plan=plan, timer=session_timer.of_response(response, now), credentials=call.credentials,
        peer_updates="UPDATE" in response.headers.all("Allow"),
    )  # fmt: skip
    if call.state == "cancelling" or plan is None:
        step = left(live, "local", "", quiet=True)
        failed = () if call.state == "cancelling" else (CallFailed(call.handle, 488, "the answer cannot be used"),)
        return CallStep(step.call, (acked, *failed, *step.effects))
    return CallStep(live, (acked, CallEstablished(call.handle, plan)))


def _with_fork(call: OutgoingCall, at: int, fork: Fork) -> OutgoingCall:
    return replace(call, forks=(*call.forks[:at], fork, *call.forks[at + 1 :]))


def _is_reliable(response: Response) -> bool:
    return any(each.lower() == "100rel" for each in response.headers.all("Require"))


def _rseq(response: Response) -> int | None:
    value = response.headers.get("RSeq") or ""
    return int(value) if value.isascii() and value.isdigit() and 0 < len(value) < 11 else None
