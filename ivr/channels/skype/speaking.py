"""Write commands as a workflow (protocol 5, LANGUAGE C17).

We write what the author wrote, and what the vendor's generations have different defaults for: `bargeInAllowed`,
`playBeep`, `maxSilenceTimeoutInSeconds`, and `voice` with text. All else only where it differs from the wire's default.
"""

import math
from collections.abc import Callable, Sequence
from functools import lru_cache

import msgspec
from msgspec.structs import replace

from ivr.channels.skype import wire
from ivr.channels.skype.ids import nested
from ivr.channels.skype.prompts import culture, prompts
from ivr.engine.commands import (
    Answer,
    Audio,
    Choice,
    DigitInput,
    HangUp,
    LineCommand,
    Play,
    Recognize,
    Record,
    Recorded,
    Reject,
    Segment,
    Transfer,
    ringing_allowed,
)
from ivr.spoken_text import speakable

MAX_WHISPER = 160
"Characters of what whoever takes a transfer is told."

_INTER_DIGIT = 1
_MAX_DURATION = 180
"The wire's own defaults, in seconds."


@lru_cache(maxsize=1024)  # ids are counted and prompts are written by authors: most replies are the last caller's, too
def written(commands: tuple[LineCommand, ...], *, callback: str, media_base: str, questions: bool = False) -> bytes:
    """Return the JSON of the workflow for these commands, one at least.

    `questions`: the platform has offered what is added to questions (protocol 25).
    """
    workflow = wire.Workflow(
        links=wire.WorkflowLinks(callback=callback),
        actions=tuple(_action(command, media_base, questions) for command in commands),
        notification_subscriptions=("callStateChange",),
    )
    return msgspec.json.encode(workflow)


def addressed(commands: Sequence[LineCommand], address: Callable[[str], str]) -> Sequence[LineCommand]:
    """Return the commands with addresses for the recordings of callers in them."""
    return [_addressed(command, address) for command in commands]


def _addressed(command: LineCommand, address: Callable[[str], str]) -> LineCommand:
    if not isinstance(command, Play | Recognize | Record):
        return command
    if not any(type(segment) is Recorded for segment in command.prompt):
        return command  # nearly always
    prompt = (Audio(url=address(one.media)) if isinstance(one, Recorded) else one for one in command.prompt)
    return replace(command, prompt=tuple(prompt))


def _action(action: LineCommand, media_base: str, questions: bool) -> wire.Action:
    match action:
        case Answer():
            return wire.Answer(operation_id=action.op, accept_modality_types=("audio",))
        case Reject():
            return wire.Reject(operation_id=action.op)
        case HangUp():
            return wire.Hangup(operation_id=action.op)
        case Play():
            return wire.PlayPrompt(operation_id=action.op, prompts=prompts(action.prompt, media_base=media_base))
        case Recognize():
            return _more(action, media_base) if questions else _recognize(_plain(action), media_base)
        case Transfer():
            return _transfer(action)
    return _record(action, media_base)


def _recognize(action: Recognize, media_base: str) -> wire.Recognize:
    digits = action.digits
    return wire.Recognize(
        operation_id=action.op,
        play_prompt=_question(action.op, action.prompt, media_base),
        barge_in_allowed=action.barge_in,
        culture=None if digits else culture(action.language),
        initial_silence_timeout_in_seconds=_seconds(action.initial_silence),
        interdigit_timeout_in_seconds=_seconds(digits.inter_digit if digits else None, default=_INTER_DIGIT),
        choices=None if digits else tuple(_option(choice) for choice in action.choices),
        collect_digits=_collect(digits) if digits else None,
    )


def _plain(action: Recognize) -> Recognize:
    """Return a question as the vendor's platform can ask it: choices of several keys are collected as digits."""
    if action.inter_digit is None:
        return action
    most = max(len(choice.key or "") for choice in action.choices)
    return replace(action, choices=(), digits=DigitInput(1, most, action.terminators, action.inter_digit))


def _more(action: Recognize, media_base: str) -> wire.Recognize:
    """Write all of a question (protocol 25)."""
    written = _recognize(action, media_base)
    by_voice = action.barge_in_speech
    return replace(
        written,
        barge_in_by_speech_allowed=None if by_voice in (None, action.barge_in) else by_voice,
        type_ahead_allowed=action.type_ahead or None,
        free_speech=action.free,
        culture=culture(action.language) if action.free else written.culture,
        interdigit_timeout_in_seconds=written.interdigit_timeout_in_seconds
        or _seconds(action.inter_digit, default=_INTER_DIGIT),
        stop_tones=_keys(action.terminators) if action.inter_digit is not None else None,
    )


def _option(choice: Choice) -> wire.RecognitionOption:
    words = tuple(map(speakable, choice.speech))  # of a list, a service has written them
    return wire.RecognitionOption(name=choice.name, speech_variation=words or None, dtmf_variation=choice.key)


def _collect(digits: DigitInput) -> wire.CollectDigits:
    # `minimum` has no member on the wire: too few keys are the engine's to judge.
    return wire.CollectDigits(max_number_of_dtmfs=digits.maximum, stop_tones=_keys(digits.terminators))


def _transfer(action: Transfer) -> wire.Transfer:
    return wire.Transfer(
        operation_id=action.op,
        target=action.target,
        timeout_in_seconds=_seconds(ringing_allowed(action)),
        whisper=speakable(action.whisper)[:MAX_WHISPER] if action.whisper else None,
    )


def _record(action: Record, media_base: str) -> wire.Record:
    return wire.Record(
        operation_id=action.op,
        play_prompt=_question(action.op, action.prompt, media_base),
        max_duration_in_seconds=_seconds(action.max_duration, default=_MAX_DURATION),
        initial_silence_timeout_in_seconds=_seconds(action.initial_silence),
        max_silence_timeout_in_seconds=_seconds(action.max_silence),
        recording_format=action.format,
        play_beep=action.beep,
        stop_tones=_keys(action.terminators),
    )


def _question(op: str, segments: Sequence[Segment], media_base: str) -> wire.PlayPrompt | None:
    if not segments:
        return None
    return wire.PlayPrompt(operation_id=nested(op), prompts=prompts(segments, media_base=media_base))


def _keys(keys: str) -> tuple[str, ...] | None:
    return tuple(keys) or None  # an empty list is refused (protocol 5.6)


def _seconds(value: float | None, *, default: int | None = None) -> int | None:
    """Return a time as the oldest readers take it: whole seconds (protocol 18), rounded in the caller's favour."""
    if value is None:
        return None
    whole = math.ceil(value)
    return None if whole == default else whole
