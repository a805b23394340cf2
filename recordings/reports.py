"""What the platform posts about a call, in its own JSON (protocol 2 to 9): reports on actions that it carried out.

It shares nothing with the codec: what it reads and writes are plain dictionaries in the vendor's spelling. Who makes
the shipped cases calls with it, and so do the tests' callers.
"""

from __future__ import annotations

import json
from random import Random
from typing import Any

from msgspec import Struct


class Report(Struct, frozen=True):
    """What the platform posts next."""

    body: bytes
    audio: bool = False
    "Whether a recording comes with it."
    left: bool = False
    "Whether the caller has gone."


def incoming(
    call: str, *, caller: str = "29:caller", withheld: bool = False, language: str = "en", transfer: bool = False
) -> Report:
    """Make the first request of a call."""
    return report_of(
        {
            "id": call,
            "participants": [
                {"identity": caller, "languageId": language, "originator": not withheld},
                {"identity": "28:bot", "originator": False},
            ],
            "isMultiparty": False,
            "presentedModalityTypes": ["audio"],
            "callState": "incoming",
            **({"ivr": {"transfer": True}} if transfer else {}),
        }
    )


def outcome(call: str, action: dict[str, Any], **members: Any) -> dict[str, Any]:
    """Make a ConversationResult for one action."""
    state = members.pop("state", "established")
    return {
        "id": call,
        "operationOutcome": {"type": f"{action['action']}Outcome", "id": action["operationId"], **members},
        "callState": state,
    }


def hang_up(call: str, action: dict[str, Any], random: Random | None = None) -> Report:
    """Report an action that ended because the caller left."""
    members: dict[str, Any] = {"outcome": "failure", "failureReason": "CallTerminated", "state": "terminated"}
    if action["action"] == "recognize":
        part = "choiceOutcome" if action.get("choices") else "collectDigitsOutcome"
        members[part] = {"completionReason": "callTerminated"}
    if action["action"] == "record":
        if random and random.random() < 0.7:  # something had been said
            members |= {"outcome": "success", "completionReason": "callTerminated", "lengthOfRecordingInSecs": 0.476}
            return report_of(outcome(call, action, **members), audio=True, left=True)
        members |= {"completionReason": "callTerminated", "lengthOfRecordingInSecs": 0}
    return report_of(outcome(call, action, **members), left=True)


def silence(call: str, workflow: dict[str, Any]) -> Report:
    """Let a caller say and press nothing; prompts are heard to their end."""
    action = workflow["actions"][-1]
    reason = {"completionReason": "initialSilenceTimeout"}
    match action["action"]:
        case "recognize":
            part = "choiceOutcome" if action.get("choices") else "collectDigitsOutcome"
            return report_of(outcome(call, action, outcome="failure", **{part: reason}))
        case "record":
            return report_of(outcome(call, action, outcome="failure", lengthOfRecordingInSecs=0, **reason))
    return done(call, action)


def done(call: str, action: dict[str, Any]) -> Report:
    """Report success of an action that asks nothing."""
    over = action["action"] in {"hangup", "reject"}
    return report_of(outcome(call, action, outcome="success", state="terminated" if over else "established"))


def report_of(tree: dict[str, Any], *, audio: bool = False, left: bool = False) -> Report:
    """Make a report of a ConversationResult; `left`: the caller has gone."""
    return Report(json.dumps(tree).encode(), audio, left)
