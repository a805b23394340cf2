"""A call that takes the place of another: the end of an attended transfer, seen from its target (RFC 3891).

Somebody calls us, and then connects his own caller with us: that one's phone sends an INVITE with a Replaces header
that names the dialog. The call goes on with the new peer, under the same handle; the dialog that it had gets a BYE.

```
what Replaces names                 | answer
------------------------------------+----------------------------------------------------------------------------------
no dialog, or more than one header  | 481, 400
a dialog that is not confirmed      | 481: it is not the caller's to give away
one that we have left               | 603
a confirmed one, with `early-only`  | 486
a confirmed one                     | 200, MediaChanged; BYE to the old peer
```

The INVITE has passed all other checks, among them the policy's; beyond these, who knows Call-ID and both tags may do
it, as he could send a BYE.
"""

from msgspec import Struct
from msgspec.structs import replace

from ivr.sip import dialog as dialogs
from ivr.sip import session_timer
from ivr.sip.addresses import MalformedAddress, parameter, parse_parameters
from ivr.sip.incoming_call import IncomingCall
from ivr.sip.live_call import LiveCall, next_media, unacknowledged
from ivr.sip.message import Request, Response, cseq
from ivr.sip.negotiation import answer as answer_offer
from ivr.sip.negotiation import offer as make_offer
from ivr.sip.outputs import MediaChanged, TransferNotified
from ivr.sip.responses import capabilities, respond
from ivr.sip.sip_call import Ask, CallStep, Effect, Respond, SipCall


class Replaces(Struct, frozen=True):
    """The dialog that is to be replaced, as we see it."""

    call_id: str
    local_tag: str
    remote_tag: str
    early_only: bool


def replaces_of(invite: Request) -> Replaces | None:
    """Return what an INVITE wants to replace; None: it cannot be read, or means more than one."""
    values = invite.headers.all("Replaces")
    identity, _, rest = values[0].partition(";") if len(values) == 1 else ("", "", "")
    try:
        parameters = parse_parameters(f";{rest}" if rest else "")
    except MalformedAddress:
        return None
    local, remote = parameter(parameters, "to-tag"), parameter(parameters, "from-tag")
    if not (local and remote and identity.strip()):
        return None
    return Replaces(identity.strip(), local, remote, parameter(parameters, "early-only") is not None)


def replaced(call: SipCall | None, wanted: Replaces | None, newcomer: IncomingCall, now: float) -> CallStep | Response:
    """Let a call go on in the dialog of an INVITE that names the one it has, or refuse."""
    invite, dialog = newcomer.invite, newcomer.dialog
    refused = _refusal(call, wanted)
    if refused or not isinstance(call, LiveCall):
        return respond(invite, refused or 481, tag=dialog.local.tag)
    local = next_media(call.local)
    body, plan = b"", call.plan
    if newcomer.offer is None:
        body = make_offer(local)
    else:
        agreed = answer_offer(newcomer.offer, local)
        if agreed is None:
            return respond(invite, 488, tag=dialog.local.tag)
        body, plan = agreed
    timer = session_timer.of_request(invite, None, now)
    headers = (("Contact", dialogs.own_contact(dialog.link, dialog.name)), *capabilities())
    headers += session_timer.answer_headers(timer, invite)
    _, bye, where = dialogs.request(call.dialog, "BYE")
    effects: tuple[Effect, ...] = (
        Respond(newcomer.key, respond(invite, 200, headers, tag=dialog.local.tag, body=body)),
    )
    if newcomer.offer is not None and plan is not None:
        effects = (*effects, MediaChanged(call.handle, plan))
    effects = (*effects, Ask(bye, where, owned=False))
    if call.referral is not None or call.to_refer:
        effects = (*effects, TransferNotified(call.handle, 487, done=True))
    offered = local if newcomer.offer is None else None
    after = replace(
        call, dialog=dialog, outgoing=False, local=local, body=body, plan=plan, timer=timer,
        unacknowledged=unacknowledged(newcomer.key, cseq(invite).number, offered, now), asked=None, postponed=None,
        referral=None, to_refer="", peer_updates="UPDATE" in invite.headers.all("Allow"),
    )  # fmt: skip
    return CallStep(after, effects)


def _refusal(call: SipCall | None, wanted: Replaces | None) -> int:
    """Return the status for a call that cannot be replaced; 0: it can."""
    if wanted is None:
        return 400
    if not isinstance(call, LiveCall) or call.dialog.remote.tag != wanted.remote_tag or call.state == "accepted":
        return 481
    if call.state == "leaving":
        return 603
    return 486 if wanted.early_only else 0
