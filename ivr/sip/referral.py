"""A transfer that we ask the peer for: REFER, and what its NOTIFYs say (RFC 3515, RFC 3892). We follow none.

```
state    | what happens                        | next     | what is done
---------+-------------------------------------+----------+--------------------------------------------------------------
-        | refer; if our 200 has no ACK: later | referred | REFER with Refer-To and Referred-By
referred | 401, 407                            | referred | REFER with credentials, once
referred | 300-699, no answer                  | -        | TransferNotified, done
referred | NOTIFY, sipfrag 1xx                 | referred | 200, TransferNotified
referred | NOTIFY, sipfrag 2xx                 | -        | 200, TransferNotified, done; BYE: the caller has another
referred | NOTIFY, sipfrag 3xx-6xx             | -        | 200, TransferNotified, done; the call goes on
referred | NOTIFY, subscription is terminated  | -        | 200, TransferNotified, done
referred | nothing for 60 s                    | -        | TransferNotified 408, done
referred | forgotten: it rings for too long    | -        | later NOTIFYs get 405
```
"""

import re

from msgspec.structs import replace

from ivr.sip import dialog as dialogs
from ivr.sip.client_transaction import client_key
from ivr.sip.live_call import LiveCall, Referral, left
from ivr.sip.message import Request, Response
from ivr.sip.outputs import TransferNotified
from ivr.sip.proving import proof
from ivr.sip.responses import respond
from ivr.sip.server_transaction import ServerKey
from ivr.sip.sip_call import Ask, CallStep, Respond

PATIENCE = 60.0
"Seconds without any news."

_ID = re.compile(r";\s*id\s*=\s*(\d+)", re.IGNORECASE)
"Of which REFER of a dialog a NOTIFY tells, by its CSeq (RFC 3515 2.4.6)."
_FRAGMENT = re.compile(rb"\s*SIP/2\.0 ([1-6][0-9][0-9])\b", re.IGNORECASE)


def refer(call: LiveCall, target: str, now: float) -> CallStep:
    """Ask the peer to call `target`, a URI; one at a time, and not before the ACK of our 200."""
    if call.state == "leaving":
        return CallStep(call)
    if call.referral is not None or call.to_refer:
        return CallStep(call, (TransferNotified(call.handle, 491, done=True),))
    if call.state == "accepted":
        return CallStep(replace(call, to_refer=target))
    return _asked(call, target, now)


def responded(call: LiveCall, asked: Referral, request: Request, response: Response | None, now: float) -> CallStep:
    """Take the answer to our REFER; None: none came."""
    if response is None:
        return _done(call, 408)
    if response.status < 300:
        return CallStep(call)
    header = proof(request, response, call.credentials, call.dialog.seed, asked.proofs)
    if header is not None:
        return _asked(call, asked.target, now, header, proofs=asked.proofs + 1)
    return _done(call, response.status)


def notified(call: LiveCall, notify: Request, key: ServerKey) -> CallStep:
    """Take a NOTIFY for our REFER; it may come before the answer to it (RFC 6665 4.4.1)."""
    if not (notify.headers.get("Event") or "").lower().startswith("refer"):
        return CallStep(call, (Respond(key, respond(notify, 489)),))
    about = _ID.search(notify.headers.get("Event") or "")
    if about and call.referral and about[1] != str(call.referral.number):
        return CallStep(call, (Respond(key, respond(notify, 200)),))  # an earlier one, that was given up
    found = _FRAGMENT.match(notify.body)
    status = int(found[1]) if found else 100
    state = (notify.headers.get("Subscription-State") or "").partition(";")[0].strip().lower()
    ok = Respond(key, respond(notify, 200))
    if status < 200 and state != "terminated":
        return CallStep(call, (ok, TransferNotified(call.handle, status, done=False)))
    step = _done(call, status)
    return CallStep(step.call, (ok, *step.effects))


def forgotten(call: LiveCall) -> CallStep:
    """Wait for no news any more; whoever asked has given up."""
    return CallStep(replace(call, referral=None, to_refer=""))


def overdue(call: LiveCall) -> CallStep:
    """Give up to wait for news."""
    return _done(call, 408)


def _asked(call: LiveCall, target: str, now: float, *extra: tuple[str, str], proofs: int = 0) -> CallStep:
    headers = (("Refer-To", f"<{target}>"), ("Referred-By", f"<{call.dialog.local.uri}>"), *extra)
    dialog, request, where = dialogs.request(call.dialog, "REFER", headers)
    asked = Referral(client_key(request), target, now + PATIENCE, proofs, dialog.local_cseq)
    return CallStep(replace(call, dialog=dialog, referral=asked), (Ask(request, where),))


def _done(call: LiveCall, status: int) -> CallStep:
    event = TransferNotified(call.handle, status, done=True)
    call = replace(call, referral=None)
    if not 200 <= status < 300:
        return CallStep(call, (event,))
    step = left(call, "local", "transferred")
    return CallStep(step.call, (event, *step.effects))
