"""Calls that jambonz places for us (`POST /v1/Accounts/{sid}/Calls` of its REST API), up to the answer.

jambonz answers the order with its own name for the call, which nobody needs: ours stands in all addresses. Where it is
to be found out whether a machine has answered, the call waits for that, in silence: jambonz looks for it beside the
verbs that run, and what its report is answered with replaces them.
"""

from collections.abc import Mapping

import msgspec

from ivr.channels.jambonz import wire
from ivr.channels.jambonz.addresses import ANSWERED, DETECTED, UNDETECTED, JambonzAddresses
from ivr.channels.jambonz.reading import Hook
from ivr.channels.jambonz.speaking import target_of
from ivr.engine.destinations import address, why_not_answered
from ivr.engine.events import AnsweredBy, CallNotAnswered
from ivr.ports import CallKey, Dial, Outbound

LONGEST_DETECTION = 20.0
"Seconds after which nobody knows whether it is a machine; jambonz decides within 15."
BY: Mapping[str, AnsweredBy] = {
    "amd_human_detected": "human",
    "amd_machine_detected": "machine",
    "amd_no_speech_detected": "unknown",
    "amd_decision_timeout": "unknown",
    "amd_error": "unknown",
}
"What jambonz has found out; other reports come later, and decide nothing."
RINGING = frozenset({"ringing", "early-media"})
"The states of a call that rings."
_FAILED = 300
"SIP: from here on a status says why there is no call."


def order(dial: Dial, key: CallKey, addresses: JambonzAddresses) -> Outbound:
    """Return the request that places a call.

    Raises ValueError for a target that is neither a number nor an address, and where nobody is there to be shown as the
    caller, whom jambonz wants to know.
    """
    wanted = address(dial.to)
    if wanted is None:
        raise ValueError("jambonz calls numbers such as +431234567 and addresses such as sip:desk@pbx.example")
    if not dial.caller:
        raise ValueError("jambonz has to be told who calls: name a caller, or set IVR_CALL_CALLERS")
    body: dict[str, object] = {
        "from": dial.caller,
        "to": msgspec.to_builtins(target_of(wanted)),
        "call_hook": {"url": addresses.step(key, ANSWERED, placed=True), "method": "POST"},
        "call_status_hook": {"url": addresses.status(key), "method": "POST"},
        "timeout": round(dial.ring),
    }
    if dial.machine:
        body["amd"] = {"actionHook": addresses.step(key, DETECTED, placed=True)}
    return Outbound(
        dial.id,
        "POST",
        f"/v1/Accounts/{key.account}/Calls",
        body,
        answered=True,
        once=True,  # its API knows no idempotency key
        until=dial.until,
    )


def detecting(key: CallKey, addresses: JambonzAddresses) -> bytes:
    """Return the document with which an answered call waits until it is known who has answered."""
    after = addresses.step(key, UNDETECTED, placed=True)
    return msgspec.json.encode([wire.Pause(length=LONGEST_DETECTION), wire.Redirect(action_hook=after)])


def not_answered(hook: Hook) -> CallNotAnswered:
    """Return why nobody answered. A call that is refused is `busy` for jambonz: the SIP status knows better."""
    if hook.sip_status >= _FAILED:
        return CallNotAnswered(why_not_answered(hook.sip_status), hook.sip_status)
    match hook.status:
        case "busy":
            return CallNotAnswered("busy")
        case "no-answer":
            return CallNotAnswered("noAnswer")
    return CallNotAnswered("failed")
