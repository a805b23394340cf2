"""Each recorded exchange of the platform comes out of a flow, or goes into one, to the letter."""

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest

from ivr.engine.events import RecordingMade
from tests.callers.bot import Bot, dial
from tests.callers.platform import Report, done
from tests.flows import flow_of

WIRE = Path(__file__).parents[1] / "skype" / "wire"

FLOW = """
flow: example
initial: FIRST
on: {exhausted: bye, error: bye}
states:
  FIRST: ENTRY
  menu:
    menu:
      prompt: If you want to report technical issues, press 1. You want to ask about our products, press 2.
      choices: {"1": {dtmf: "1"}, "2": {dtmf: "2"}}
    on: {"1": flight, "2": sure}
  sure:
    menu:
      prompt: Please answer yes or no.
      choices: {Yes: {speech: ["Yes", Okay]}, No: {speech: ["No", None]}}
    on: {"Yes": bye, "No": bye}
    allow: {speech-only: as in the example}
  flight:
    record:
      prompt: What is your flight ?
      maxDuration: 10s
      initialSilence: 5s
      maxSilence: 2s
      terminators: "#"
      transcribe: true
      holdPrompt: {audio: "http://example.com/test.wma"}
      into: flight
    next: end
    on: {error.transcribe: end}
  end: {hangup: {}}
  bye: {say: "Goodbye {{ flight.transcript or '' }}", final: true}
variables: {flight: {type: recording, default: none}}
"""


ENTRIES = {
    "take": "{answer: {}, next: menu}",
    "welcome": "{say: Welcome to test bot, next: heard}\n  heard: {answer: {}, next: menu}",
}


def example(name: str) -> dict[str, Any]:
    tree: dict[str, Any] = json.loads((WIRE / f"{name}.json").read_text())
    return tree


def without_ids(tree: Any) -> Any:
    """Replace what differs by nature: operation ids and the callback address."""
    match tree:
        case dict():
            return {
                key: "…" if key in {"operationId", "callback"} else without_ids(value) for key, value in tree.items()
            }
        case list():
            return [without_ids(item) for item in tree]
    return tree


def at(first: str) -> Bot:
    return dial(
        flow_of(FLOW.replace("FIRST", first).replace("ENTRY", ENTRIES[first])), example("call-incoming")["id"]
    ).post(Report((WIRE / "call-incoming.json").read_bytes()))


def answered(bot: Bot, name: str, *, audio: bool = False, **changed: str) -> Bot:
    """Report a recorded outcome, as the answer to what this flow asked."""
    tree = example(name)
    assert bot.workflow is not None
    tree["operationOutcome"]["id"] = bot.workflow["actions"][-1]["operationId"]
    if changed:
        tree["operationOutcome"]["choiceOutcome"] |= changed
    return bot.post(Report(json.dumps(tree).encode(), audio))


def heard_prompt() -> Bot:
    return answered(at("welcome"), "callback-playPromptOutcome")


def pressed(key: str) -> Bot:
    return answered(heard_prompt(), "callback-recognizeOutcome-dtmf", choiceName=key)


def holding() -> Bot:
    """Stand where a recording has come and its words have not."""

    class Slow(Random):
        """Luck by which the engine is not ready when the first reply is due, and is at the second."""

        rolls = 0

        def random(self) -> float:
            self.rolls += 1
            return 0.9 if self.rolls == 1 else 0.5

    tree = example("callback-recordOutcome-part")
    bot = pressed("1")
    assert bot.workflow is not None
    tree["operationOutcome"]["id"] = bot.workflow["actions"][-1]["operationId"]
    return bot.post(Report(json.dumps(tree).encode(), audio=True), Slow())


@pytest.mark.parametrize(
    ("name", "bot"),
    [
        ("reply-answer", lambda: at("take")),
        ("reply-answer-then-playPrompt", lambda: at("welcome")),
        ("reply-recognize-dtmf", heard_prompt),
        ("reply-recognize-speech", lambda: pressed("2")),
        ("reply-record", lambda: pressed("1")),
        ("reply-playPrompt-fileUri", holding),
        ("reply-hangup", lambda: holding().post(done(example("call-incoming")["id"], last(holding())))),
    ],
)
def test_a_flow_answers_as_in_the_recorded_exchange(name: str, bot: Any) -> None:
    assert without_ids(bot().workflow) == without_ids(example(name))


def last(bot: Bot) -> dict[str, Any]:
    assert bot.workflow is not None
    action: dict[str, Any] = bot.workflow["actions"][-1]
    return action


def test_a_recorded_silence_repeats_the_question() -> None:
    bot = heard_prompt()
    again = answered(bot, "callback-recognizeOutcome-initialSilenceTimeout")
    assert without_ids(again.workflow) == without_ids(bot.workflow)
    assert again.record.call.silent == 1


def test_a_recorded_recording_is_kept_with_its_length() -> None:
    made = next(line.event for line in holding().trace if isinstance(line.event, RecordingMade))
    assert (made.seconds, made.ended) == (5.045999999999999, "silence")


def test_the_first_request_of_a_call_names_caller_and_bot() -> None:
    facts = at("take").record.call.facts
    caller, bot = (participant["identity"] for participant in example("call-incoming")["participants"])
    assert (facts.caller, facts.called, facts.language) == (caller, bot, "en")
