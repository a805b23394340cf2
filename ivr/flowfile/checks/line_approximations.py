"""What a line does in another way than a flow wants it (docs/lines.md): each place is a warning of the check `channel`.

Nothing of it refuses a flow: the call goes on, and a caller may notice. What a line cannot do at all is in
`environment`.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from math import ceil

from ivr.capabilities import Capabilities
from ivr.flowfile.actions.base import LineNeed
from ivr.flowfile.checks.declaration import Environment
from ivr.flowfile.checks.environment import CHANNEL
from ivr.flowfile.document import Document
from ivr.flowfile.finding import Finding, Problem, Text
from ivr.flowfile.model_parts import AudioPart
from ivr.flowfile.prompts import all_prompts, parts_of


@CHANNEL.warning
def _later_terminators() -> Text:
    return "After another key than the first of these the channel waits for the pause between keys.", 'Write "#".'


@CHANNEL.warning
def _one_timeout() -> Text:
    return "The channel has one time for the first key and between keys: the longer of the two.", ""


@CHANNEL.warning
def _no_empty_answer() -> Text:
    return "The channel does not tell an end key alone from silence.", ""


@CHANNEL.warning
def _whole_seconds() -> Text:
    return "The channel knows whole seconds alone: this is rounded up.", ""


@CHANNEL.warning
def _last_part_alone() -> Text:
    return "On this channel only the last part of the prompt can be interrupted.", ""


@CHANNEL.warning
def _other_format(wanted: str) -> Text:
    return f"On this channel recordings are not {wanted}, but wav.", ""


@CHANNEL.warning
def _one_record_silence() -> Text:
    return "The channel has one silence for the beginning and the end of a recording: the longer of the two.", ""


@CHANNEL.warning
def _longer_silence(shortest: int) -> Text:
    return f"A silence that ends a recording has {shortest} seconds or more on this channel.", ""


@CHANNEL.warning
def _silence_recorded() -> Text:
    return 'The channel does not notice that nothing is said: it records until "maxDuration".', ""


@CHANNEL.warning
def _not_declined(what: str) -> Text:
    return f"On this channel a caller who is rejected hears {what}.", ""


@CHANNEL.warning
def _no_whisper() -> Text:
    return "On this channel whoever answers is not told of the caller.", ""


@CHANNEL.warning
def _no_such_failure() -> Text:
    return 'The channel does not tell that a call was declined: "failed.rejected" is not raised.', ""


@CHANNEL.warning
def _language_not_told(first: str) -> Text:
    return f"The channel does not tell the caller's language: calls begin in {first}.", ""


@CHANNEL.warning
def _written_recording() -> Text:
    return "On this channel the caller may write instead of speaking: then there are words, and no audio.", ""


@CHANNEL.warning
def _file_as_link() -> Text:
    return "On this channel a file is a link, unless it says what is in it.", 'Add "text".'


def _terminators(can: Capabilities, need: LineNeed) -> Problem | None:
    return _later_terminators() if can.later_terminators and need.count > can.terminators else None


def _format(can: Capabilities, need: LineNeed) -> Problem | None:
    return None if need.value in can.recording_formats else _other_format(need.value)


def _short_silence(can: Capabilities, need: LineNeed) -> Problem | None:
    return _longer_silence(ceil(can.min_record_silence)) if need.seconds < can.min_record_silence else None


def _rejection(can: Capabilities, need: LineNeed) -> Problem | None:
    heard = {"busy": "the busy tone", "announcement": "an announcement of the carrier"}.get(can.rejection)
    return _not_declined(heard) if heard and can.reject else None


def _unless(has: Callable[[Capabilities], bool], problem: Callable[[], Problem]) -> "_Rule":
    return lambda can, _: None if has(can) else problem()


_Rule = Callable[[Capabilities, LineNeed], Problem | None]
_RULES: Mapping[str, _Rule] = {
    "terminators": _terminators,
    "firstTimeout": _unless(lambda can: can.separate_first_timeout, _one_timeout),
    "emptyAnswer": _unless(lambda can: can.lone_terminator, _no_empty_answer),
    "fraction": _unless(lambda can: not can.whole_seconds, _whole_seconds),
    "wholePrompt": _unless(lambda can: can.whole_prompt_interruptible, _last_part_alone),
    "recordFormat": _format,
    "recordSilence": _unless(lambda can: can.separate_record_silence, _one_record_silence),
    "shortSilence": _short_silence,
    "silentRecording": _unless(lambda can: can.tells_silence, _silence_recorded),
    "reject": _rejection,
    "whisper": _unless(lambda can: can.whisper, _no_whisper),
    "record": _unless(lambda can: not can.writes, _written_recording),
}
"By what an action needs."


@CHANNEL.environment_finder
def approximations(document: Document, environment: Environment) -> Iterator[Finding]:
    """Find what the line does in another way."""
    yield from environment.on_lines(partial(_approximated, document))


def _approximated(document: Document, can: Capabilities) -> Iterator[Finding]:
    languages = document.model.languages or ()
    if len(languages) > 1 and not can.tells_language:
        yield document.finding(_language_not_told(languages[0]), ("languages",), key=True)
    if can.writes:
        yield from _files_without_words(document)
    for name, state in document.states():
        if "failed.rejected" in state.on and not can.any_transfer_failure:
            yield document.finding(_no_such_failure(), ("states", name, "on", "failed.rejected"), key=True)
        for action in state.actions:
            for need in action.needs(("states", name, action.word)):
                rule = _RULES.get(need.what)
                if rule is not None and (problem := rule(can, need)) is not None:
                    yield document.finding(problem, need.path, key=True)


def _files_without_words(document: Document) -> Iterator[Finding]:
    """Find files of which nothing can be read."""
    for prompt in all_prompts(document):
        for placed in parts_of(document, prompt):
            if isinstance(placed.part, AudioPart) and placed.part.text is None:
                yield document.finding(_file_as_link(), placed.path)
