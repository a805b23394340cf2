"""The platform's side of one call, with any caller and any luck: what chance makes of the actions of a workflow."""

from __future__ import annotations

import json
from random import Random
from typing import Any

from recordings.reports import Report, done, hang_up, incoming, outcome, report_of, silence

__all__ = [
    "Report",
    "any_outcome",
    "any_report",
    "done",
    "failed_prompt",
    "hang_up",
    "incoming",
    "outcome",
    "report_of",
    "silence",
]

CHOICE_FAILURES = ("initialSilenceTimeout", "incorrectDtmf", "interdigitTimeout", "temporarySystemFailure", "nonsense")
DIGIT_FAILURES = ("initialSilenceTimeout", "temporarySystemFailure", "unknown")
RECORD_FAILURES = ("initialSilenceTimeout", "temporarySystemFailure", "unknown")


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
        return report_of({"id": call, "operationOutcome": refused, "callState": "established"})
    return report_of(outcome(call, action, outcome="failure", failureReason="InternalServerError"))


def told_apart(call: str, random: Random) -> Report:
    """Report that the call is over by itself, in either of the two ways: it can overtake what was cut off."""
    if random.random() < 0.5:
        return report_of({"id": call, "type": "callStateChange", "currentState": "terminated"}, left=True)
    conversation = json.loads(incoming(call).body)
    return report_of({**conversation, "callState": "terminated"}, left=True)


def any_outcome(call: str, action: dict[str, Any], random: Random) -> Report:
    """Report any outcome that can come of one action."""
    if random.random() < 0.08:
        return hang_up(call, action, random)
    match action["action"]:
        case "recognize" if action.get("choices"):
            return report_of(_choice(call, action, random))
        case "recognize":
            return report_of(_digits(call, action, random))
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
        return report_of(outcome(call, action, outcome="failure", completionReason=reason, lengthOfRecordingInSecs=0))
    reason = random.choice(["completedSilenceDetected", "completedStopToneDetected", "maxRecordingTimeout"])
    members = {"completionReason": reason, "lengthOfRecordingInSecs": 2.5, "format": "wma"}
    return report_of(outcome(call, action, outcome="success", **members), audio=True)
