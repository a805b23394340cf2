"""The platform's side of one call, in its own JSON: runs workflows as protocol 2 to 9 say, with any caller.

It shares nothing with the codec: what it reads and writes are plain dictionaries in the vendor's spelling.
"""

from __future__ import annotations

import json
from random import Random
from typing import Any

from msgspec import Struct

CHOICE_FAILURES = ("initialSilenceTimeout", "incorrectDtmf", "interdigitTimeout", "temporarySystemFailure", "nonsense")
DIGIT_FAILURES = ("initialSilenceTimeout", "temporarySystemFailure", "unknown")
RECORD_FAILURES = ("initialSilenceTimeout", "temporarySystemFailure", "unknown")


class Report(Struct, frozen=True):
    """What the platform posts next."""

    body: bytes
    audio: bool = False
    "Whether a recording comes with it."
    left: bool = False
    "Whether the caller has gone."


def incoming(call: str, *, withheld: bool = False) -> Report:
    """Make the first request of a call."""
    return _report(
        {
            "id": call,
            "participants": [
                {"identity": "29:caller", "languageId": "en", "originator": not withheld},
                {"identity": "28:bot", "originator": False},
            ],
            "isMultiparty": False,
            "presentedModalityTypes": ["audio"],
            "callState": "incoming",
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


def any_report(call: str, workflow: dict[str, Any], random: Random) -> Report:
    """Run the actions in order, with any caller and any luck: the first failure, or the last success."""
    actions = workflow["actions"]
    for action in actions[:-1]:
        if random.random() < 0.05:
            return failed_prompt(call, action, random)
    return any_outcome(call, actions[-1], random)


def failed_prompt(call: str, action: dict[str, Any], random: Random) -> Report:
    """Fail an action that asks nothing: the caller left, or the platform could not."""
    if random.random() < 0.7:
        return hang_up(call, action)
    if random.random() < 0.2:
        spelling = random.choice(["worfklowValidationOutcome", "workflowValidationOutcome"])
        refused = {"type": spelling, "id": action["operationId"], "outcome": "failure", "failureReason": "invalid"}
        return _report({"id": call, "operationOutcome": refused, "callState": "established"})
    return _report(outcome(call, action, outcome="failure", failureReason="InternalServerError"))


def hang_up(call: str, action: dict[str, Any], random: Random | None = None) -> Report:
    """Report an action that ended because the caller left."""
    members: dict[str, Any] = {"outcome": "failure", "failureReason": "CallTerminated", "state": "terminated"}
    if action["action"] == "recognize":
        part = "choiceOutcome" if action.get("choices") else "collectDigitsOutcome"
        members[part] = {"completionReason": "callTerminated"}
    if action["action"] == "record":
        if random and random.random() < 0.7:  # something had been said
            members |= {"outcome": "success", "completionReason": "callTerminated", "lengthOfRecordingInSecs": 0.476}
            return _report(outcome(call, action, **members), audio=True, left=True)
        members |= {"completionReason": "callTerminated", "lengthOfRecordingInSecs": 0}
    return _report(outcome(call, action, **members), left=True)


def told_apart(call: str, random: Random) -> Report:
    """Tell that the call is over by itself, in either of the two ways: it can overtake what was cut off."""
    if random.random() < 0.5:
        return _report({"id": call, "type": "callStateChange", "currentState": "terminated"}, left=True)
    conversation = json.loads(incoming(call).body)
    return _report({**conversation, "callState": "terminated"}, left=True)


def silence(call: str, workflow: dict[str, Any]) -> Report:
    """Let a caller say and press nothing; prompts are heard to their end."""
    action = workflow["actions"][-1]
    reason = {"completionReason": "initialSilenceTimeout"}
    match action["action"]:
        case "recognize":
            part = "choiceOutcome" if action.get("choices") else "collectDigitsOutcome"
            return _report(outcome(call, action, outcome="failure", **{part: reason}))
        case "record":
            return _report(outcome(call, action, outcome="failure", lengthOfRecordingInSecs=0, **reason))
    return done(call, action)


def done(call: str, action: dict[str, Any]) -> Report:
    """Report success of an action that asks nothing."""
    over = action["action"] in {"hangup", "reject"}
    return _report(outcome(call, action, outcome="success", state="terminated" if over else "established"))


def any_outcome(call: str, action: dict[str, Any], random: Random) -> Report:
    """Report any outcome that can come of one action."""
    if random.random() < 0.08:
        return hang_up(call, action, random)
    match action["action"]:
        case "recognize" if action.get("choices"):
            return _report(_choice(call, action, random))
        case "recognize":
            return _report(_digits(call, action, random))
        case "record":
            return _recorded(call, action, random)
    return done(call, action) if random.random() < 0.95 else failed_prompt(call, action, random)


def _choice(call: str, action: dict[str, Any], random: Random) -> dict[str, Any]:
    if random.random() < 0.35:
        return outcome(
            call, action, outcome="failure", choiceOutcome={"completionReason": random.choice(CHOICE_FAILURES)}
        )
    choice = random.choice(action["choices"])
    how = "dtmfOptionMatched" if "dtmfVariation" in choice else "speechOptionMatched"
    name = choice["name"] if random.random() < 0.97 else "never offered"
    return outcome(call, action, outcome="success", choiceOutcome={"completionReason": how, "choiceName": name})


def _digits(call: str, action: dict[str, Any], random: Random) -> dict[str, Any]:
    if random.random() < 0.25:
        return outcome(
            call, action, outcome="failure", collectDigitsOutcome={"completionReason": random.choice(DIGIT_FAILURES)}
        )
    most = action["collectDigits"].get("maxNumberOfDtmfs", 20)
    keys = "".join(random.choices("0123456789*", k=random.randint(0, most)))
    if not keys:  # a stop tone alone: without digits there is no success (protocol 6)
        alone = {"completionReason": "completedStopToneDetected"}
        return outcome(call, action, outcome="failure", collectDigitsOutcome=alone)
    how = random.choice(["completedStopToneDetected", "interdigitTimeout"])
    return outcome(call, action, outcome="success", collectDigitsOutcome={"completionReason": how, "digits": keys})


def _recorded(call: str, action: dict[str, Any], random: Random) -> Report:
    if random.random() < 0.3:
        reason = random.choice(RECORD_FAILURES)
        return _report(outcome(call, action, outcome="failure", completionReason=reason, lengthOfRecordingInSecs=0))
    reason = random.choice(["completedSilenceDetected", "completedStopToneDetected", "maxRecordingTimeout"])
    members = {"completionReason": reason, "lengthOfRecordingInSecs": 2.5, "format": "wma"}
    return _report(outcome(call, action, outcome="success", **members), audio=True)


def _report(tree: dict[str, Any], *, audio: bool = False, left: bool = False) -> Report:
    return Report(json.dumps(tree).encode(), audio, left)
