"""What we ask for in a call that was answered: to change its media, to refresh its timer, to end it.

```
request           | answer                | then
------------------+-----------------------+----------------------------------------------------------------------------
re-INVITE         | 2xx                   | ACK; its SDP is the new media; without a usable one: BYE (RFC 3261 14.1)
re-INVITE         | 491                   | again after 2.1-4 s if we placed the call, else after 0-2 s (14.1)
re-INVITE, UPDATE | 408, 481, none        | BYE (12.2.1.2)
re-INVITE, UPDATE | 401, 407              | again with credentials, once
re-INVITE         | other                 | the media stays as it was (14.1)
UPDATE or re-INVITE to refresh (RFC 4028 10) | 2xx: the timer as it says
                  | 422                   | again, with the interval of its Min-SE
UPDATE to refresh | 405, 501              | again as a re-INVITE
to refresh        | other                 | again after 10 s, until the session has expired: BYE
BYE               | 401, 407              | again with credentials, once
BYE               | any, none             | the call is over
REFER             | see `referral`        |
```
"""

from hashlib import sha256

from msgspec.structs import replace

from ivr.sip import dialog as dialogs
from ivr.sip import referral, session_timer
from ivr.sip.bodies import sdp_of
from ivr.sip.client_transaction import client_key
from ivr.sip.live_call import Asked, Leaving, LiveCall, Postponed, bye, left, next_media, repeated
from ivr.sip.message import Request, Response, cseq, to
from ivr.sip.negotiation import LocalMedia, accepted
from ivr.sip.negotiation import offer as make_offer
from ivr.sip.outputs import Link, MediaChanged
from ivr.sip.proving import proof
from ivr.sip.responses import capabilities
from ivr.sip.sip_call import Acknowledge, Ask, CallStep
from ivr.sip.timers import T1

REFRESH_AGAIN = 10.0
"Seconds after which a refresh that failed is tried again."


def modify(call: LiveCall, local: LocalMedia, now: float) -> CallStep:
    """Offer other media in a re-INVITE, such as hold; later, if something else is under way."""
    if call.state == "leaving":
        return CallStep(call)
    if call.state == "accepted" or call.asked is not None or call.unacknowledged is not None:
        return CallStep(replace(call, postponed=Postponed(now + T1, local)))
    return _invited(call, local, refresh=False)


def hang_up(call: LiveCall, reason: str) -> CallStep:
    """End the call; `reason` is for the peer (RFC 3326)."""
    return left(call, "local", "we hung up", reason=reason)


def responded(call: LiveCall, request: Request, response: Response | None, now: float) -> CallStep:
    """Take what became of a request of ours: its answer; None: none came, or it could not be sent."""
    key = client_key(request)
    if response is not None and request.method == "INVITE" and 200 <= response.status < 300:
        return _invite_accepted(call, request, response, now)
    if response is not None and response.status < 200:
        return CallStep(call)
    if call.leaving is not None and call.leaving.key == key:
        return _left(call, call.leaving, request, response)
    if call.asked is not None and call.asked.key == key:
        return _asked_and_answered(call, call.asked, request, response, now)
    if call.referral is not None and call.referral.key == key:
        return referral.responded(call, call.referral, request, response, now)
    return CallStep(call)


def tick(call: LiveCall, now: float) -> CallStep:
    """Apply what is due."""
    waiting, timer = call.unacknowledged, call.timer
    if waiting is not None and now >= waiting.ends:
        if call.leaving is not None:
            return bye(replace(call, leaving=replace(call.leaving, unproven=True)))
        return left(replace(call, unacknowledged=None), "timeout", "no ACK came", unproven=True)
    if timer is not None and now >= timer.ends:
        return left(call, "timeout", "the session was not refreshed", reason='SIP;cause=408;text="Session timed out"')
    if waiting is not None and now >= waiting.repeats.due:
        return repeated(call, waiting, now)
    if call.referral is not None and now >= call.referral.ends:
        return referral.overdue(call)
    if call.postponed is not None and now >= call.postponed.due:
        postponed = call.postponed
        call = replace(call, postponed=None)
        return _refreshed(call, now) if postponed.local is None else modify(call, postponed.local, now)
    if timer is not None and timer.refresh_due is not None and now >= timer.refresh_due:
        return _refreshed(call, now)
    return CallStep(call)


def _refreshed(call: LiveCall, now: float, *extra: tuple[str, str], proofs: int = 0) -> CallStep:
    """Refresh the session (RFC 4028 7.4), by UPDATE without SDP if the peer takes that."""
    timer = call.timer
    if timer is None:
        return CallStep(call)
    if call.asked is not None or call.unacknowledged is not None:
        return CallStep(replace(call, timer=session_timer.postponed(timer, now + T1)))
    call = replace(call, timer=session_timer.refreshing(timer))
    if not call.peer_updates:
        return _invited(call, call.local, *extra, refresh=True, proofs=proofs)
    headers = (*session_timer.refresh_headers(timer), *extra)
    dialog, request, where = dialogs.request(call.dialog, "UPDATE", headers)
    asked = Asked(client_key(request), "UPDATE", None, refresh=True, proofs=proofs)
    return CallStep(replace(call, dialog=dialog, asked=asked), (Ask(request, where),))


def _invited(call: LiveCall, local: LocalMedia, *extra: tuple[str, str], refresh: bool, proofs: int = 0) -> CallStep:
    """Send a re-INVITE; one that only refreshes the session offers what we said last (RFC 4028 7.4)."""
    if not refresh:
        local = replace(local, session=call.local.session, version=next_media(call.local).version)
    body = call.body if refresh else make_offer(local)
    headers = (*capabilities(), *(session_timer.refresh_headers(call.timer) if call.timer else ()), *extra)
    headers = (*headers, ("Content-Type", "application/sdp"))
    dialog, request, where = dialogs.request(call.dialog, "INVITE", headers, body)
    asked = Asked(client_key(request), "INVITE", local, refresh=refresh, proofs=proofs)
    return CallStep(replace(call, dialog=dialog, asked=asked), (Ask(request, where),))


def _invite_accepted(call: LiveCall, invite: Request, response: Response, now: float) -> CallStep:
    """Acknowledge a 2xx to our INVITE, and take its media if the call still wants it."""
    if to(response).tag != call.dialog.remote.tag:
        return CallStep(call, stray(invite, response, call.dialog.link, call.dialog.seed, call.dialog.name))
    call = replace(call, dialog=dialogs.refreshed(call.dialog, response))
    request, where = dialogs.ack(call.dialog, cseq(invite).number, dialogs.credentials_of(invite))
    acked = Acknowledge(client_key(invite), request, where)
    asked = call.asked
    if asked is None or asked.key != client_key(invite) or asked.local is None:
        return CallStep(call, (acked,))
    body = sdp_of(response)
    plan = accepted(body, asked.local) if isinstance(body, bytes) else None
    if plan is None:
        step = left(call, "error", "the answer to our offer cannot be used")
        return CallStep(step.call, (acked, *step.effects))
    timer = session_timer.of_response(response, now)
    call = replace(call, asked=None, timer=timer, local=asked.local, plan=plan, body=invite.body)
    return CallStep(call, (acked, MediaChanged(call.handle, plan)))


def stray(invite: Request, response: Response, link: Link, seed: str, name: str) -> tuple[Acknowledge | Ask, ...]:
    """Return what ends a dialog that nobody wants: a second answer to a forked INVITE (RFC 3261 13.2.2.4)."""
    other = dialogs.of_response(invite, response, link, seed=seed, name=name)
    request, where = dialogs.ack(other, cseq(invite).number, dialogs.credentials_of(invite))
    _, goodbye, away = dialogs.request(other, "BYE")
    return Acknowledge(client_key(invite), request, where), Ask(goodbye, away, owned=False)


def _left(call: LiveCall, leaving: Leaving, request: Request, response: Response | None) -> CallStep:
    header = response and proof(request, response, call.credentials, call.dialog.seed, leaving.proofs)
    if header:
        return bye(call, header, proofs=leaving.proofs + 1)
    return CallStep(replace(call, over=True))


def _asked_and_answered(
    call: LiveCall, asked: Asked, request: Request, response: Response | None, now: float
) -> CallStep:
    call = replace(call, asked=None)
    if response is None or response.status in (408, 481):
        return left(call, "timeout", "the peer does not know the call any more")
    if response.status < 300:  # an UPDATE; the 2xx of an INVITE goes elsewhere
        call = replace(call, dialog=dialogs.refreshed(call.dialog, response))
        return CallStep(replace(call, timer=session_timer.of_response(response, now)))
    header = proof(request, response, call.credentials, call.dialog.seed, asked.proofs)
    if header is not None:
        if asked.refresh:
            return _refreshed(call, now, header, proofs=asked.proofs + 1)
        return _invited(call, asked.local or call.local, header, refresh=False, proofs=asked.proofs + 1)
    if response.status == 491:
        local = None if asked.refresh else asked.local
        return CallStep(replace(call, postponed=Postponed(now + _glare_pause(call), local)))
    if not asked.refresh or call.timer is None:
        return CallStep(call)
    return _refresh_refused(call, asked, call.timer, response, now)


def _refresh_refused(
    call: LiveCall, asked: Asked, timer: session_timer.SessionTimer, response: Response, now: float
) -> CallStep:
    match response.status:
        case 422:
            longer = max(timer.interval, session_timer.minimum(response))
            if longer > timer.interval:
                return _refreshed(replace(call, timer=replace(timer, interval=longer)), now)
        case 405 | 501 if asked.method == "UPDATE":
            return _refreshed(replace(call, peer_updates=False), now)
    return CallStep(replace(call, timer=session_timer.postponed(timer, now + REFRESH_AGAIN)))


def _glare_pause(call: LiveCall) -> float:
    """Return how long to wait after both sides offered at once, in steps of 10 ms (RFC 3261 14.1)."""
    chance = int.from_bytes(sha256(f"{call.dialog.seed}{call.dialog.local_cseq}".encode()).digest()[:4])
    return 2.1 + chance % 191 / 100 if call.outgoing else chance % 201 / 100
