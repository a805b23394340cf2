"""Which workflows a platform runs (protocol 5, 8, 18): the phone's own list of the rules, written from the protocol.

The bot's side checks what it writes with another list, and neither knows the other. A rule yields a sentence per
violation, each beginning with its place, which is put together from the inside out; no violation, no sentence.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from ipaddress import ip_address
from typing import TypeAlias
from urllib.parse import urlsplit

from ivr.channels.skype import wire
from ivr.phone.wire.transfer_targets import is_target

Problems: TypeAlias = Iterator[str]
Range: TypeAlias = tuple[float, float]

MAX_DIGITS = 20
_STATE_UNITS = 1024
_TEXT_UNITS = 2048
_SILENCE: Range = (0, 60_000)  # milliseconds
_INITIAL_SILENCE: Range = (1, 30)  # seconds, like all that follow
_INTER_DIGIT: Range = (1, 5)
_DURATION: Range = (2, 600)
_TRAILING_SILENCE: Range = (0, 30)
_RINGING: Range = (5, 120)
_MOST_STOP_TONES = 5
_MOST_WHISPERED = 160
_MOST_SPEECH_VARIATIONS = 5
_MOST_NAMED = 10
"Of the actions that do not go together, in the sentence that says so."

# A list of actions as a word, a letter for each: then a pattern can say which lists there are (protocol 8). Prompts may
# repeat; a recording (r) and a question (q) may each stand there once, in any order.
_LETTERS: Mapping[type, str] = {
    wire.Reject: "x",
    wire.Answer: "a",
    wire.PlayPrompt: "p",
    wire.Record: "r",
    wire.Recognize: "q",
    wire.Hangup: "h",
    wire.Transfer: "t",
}
_TOGETHER = re.compile("x|a?p*(rp*)?(qp*)?[ht]?|a?p*qp*rp*[ht]?")


def problems(workflow: wire.Workflow) -> Problems:
    """Return the rules that a workflow breaks."""
    yield from _together(workflow.actions)
    for index, action in enumerate(workflow.actions):
        yield from _at(f"actions[{index}]", _action(action))
    if workflow.links is not None and not may_be_called(workflow.links.callback):
        yield "links.callback: must be an absolute https address"
    if workflow.app_state is not None and not may_be_echoed(workflow.app_state):
        yield f"appState: at most {_STATE_UNITS:,} characters"


def may_be_called(callback: str) -> bool:
    """Return whether outcomes may be posted there: absolute https, or for tests http on this machine (protocol 18)."""
    try:
        parts = urlsplit(callback)
        host, _ = parts.hostname, parts.port  # a port that is none raises too
    except ValueError:
        return False
    if parts.scheme == "http":
        return host is not None and _is_this_machine(host)
    return parts.scheme == "https" and bool(host)


def may_be_echoed(app_state: str) -> bool:
    """Return whether a state is short enough. A blank one always is: it escapes the vendor's check (protocol 5.1)."""
    return _blank(app_state) or _units(app_state) <= _STATE_UNITS


def _together(actions: Sequence[wire.Action]) -> Problems:
    word = "".join(_LETTERS[type(action)] for action in actions)
    if not word:
        yield "actions: must not be empty"
    elif not _TOGETHER.fullmatch(word):
        found = [str(type(action).__struct_config__.tag) for action in actions[:_MOST_NAMED]]
        if len(actions) > _MOST_NAMED:
            found.append("…")
        yield (
            f"actions: {', '.join(found)} cannot be combined. Allowed: reject alone, or answer, then playPrompt, "
            "record and recognize, then hangup. Only playPrompt may repeat"
        )


def _action(action: wire.Action) -> Problems:
    if _blank(action.operation_id):
        yield ".operationId: must not be blank"
    match action:
        case wire.Answer(accept_modality_types=modalities):
            yield from _at(".acceptModalityTypes", _modalities(modalities or ()))
        case wire.PlayPrompt(prompts=prompts):
            if not prompts:
                yield ".prompts: must not be empty"
            for index, prompt in enumerate(prompts):
                yield from _at(f".prompts[{index}]", _prompt(prompt))
        case wire.Recognize():
            yield from _recognize(action)
        case wire.Record():
            yield from _record(action)
        case wire.Transfer():
            yield from _transfer(action)
        case _:  # reject and hangup have nothing that could be wrong
            pass


def _modalities(modalities: tuple[wire.Modality, ...]) -> Problems:
    if len(modalities) != len(set(modalities)):
        yield ": names the same modality twice"
    if set(modalities) - {"audio", "video"}:
        yield ": only audio and video are allowed"


def _prompt(prompt: wire.Prompt) -> Problems:
    text = "" if _blank(prompt.value) else prompt.value or ""  # blank counts as absent, however long
    silence = prompt.silence_length_in_milliseconds
    if text and prompt.file_uri:
        yield ": has both value and fileUri; only one is allowed"
    if not (text or prompt.file_uri or silence):
        yield ": needs a value, a fileUri or a silence above 0"
    if _units(text) > _TEXT_UNITS:
        yield f".value: at most {_TEXT_UNITS:,} characters"
    yield from _within(".silenceLengthInMilliseconds", silence, _SILENCE)


def _recognize(action: wire.Recognize) -> Problems:
    yield from _before(action.play_prompt)
    yield from _within(".initialSilenceTimeoutInSeconds", action.initial_silence_timeout_in_seconds, _INITIAL_SILENCE)
    yield from _within(".interdigitTimeoutInSeconds", action.interdigit_timeout_in_seconds, _INTER_DIGIT)
    if len([way for way in (action.choices, action.collect_digits) if way is not None]) != 1:
        yield ": needs either choices or collectDigits"
    if action.free_speech is not None and action.collect_digits is None:
        yield ".freeSpeech: is for collectDigits alone"
    yield from _stop_tones(action.stop_tones or ())
    if action.choices is not None:
        yield from _choices(action.choices)
    if action.collect_digits is not None:
        yield from _at(".collectDigits", _collect_digits(action.collect_digits))


def _choices(choices: tuple[wire.RecognitionOption, ...]) -> Problems:
    if not choices:
        yield ".choices: must not be empty"
    keys: set[str] = set()
    words: set[str] = set()
    for index, choice in enumerate(choices):
        yield from _at(f".choices[{index}]", _choice(choice))
        key, spoken = choice.dtmf_variation, choice.speech_variation or ()
        if key in keys:
            yield f".choices[{index}].dtmfVariation: is already the key of another choice"
        if len({*spoken} - words) != len(spoken):  # twice inside one choice counts too
            yield f".choices[{index}].speechVariation: repeats words of a choice"
        keys |= {key} if key else set()
        words |= {*spoken}


def _choice(choice: wire.RecognitionOption) -> Problems:
    spoken = choice.speech_variation or ()
    if _blank(choice.name):
        yield ".name: must not be blank"
    if not spoken and choice.dtmf_variation is None:
        yield ": needs speechVariation, dtmfVariation or both"
    if len(spoken) > _MOST_SPEECH_VARIATIONS:
        yield f".speechVariation: at most {_MOST_SPEECH_VARIATIONS}"
    if any(_blank(words) for words in spoken):
        yield ".speechVariation: must not contain blank entries"


def _collect_digits(digits: wire.CollectDigits) -> Problems:
    if digits.max_number_of_dtmfs is None and not digits.stop_tones:
        yield ": needs maxNumberOfDtmfs, stopTones or both"
    yield from _within(".maxNumberOfDtmfs", digits.max_number_of_dtmfs, (1, MAX_DIGITS))
    yield from _stop_tones(digits.stop_tones or ())  # an empty list counts as absent here


def _record(action: wire.Record) -> Problems:
    yield from _before(action.play_prompt)
    yield from _within(".maxDurationInSeconds", action.max_duration_in_seconds, _DURATION)
    yield from _within(".initialSilenceTimeoutInSeconds", action.initial_silence_timeout_in_seconds, _INITIAL_SILENCE)
    yield from _within(".maxSilenceTimeoutInSeconds", action.max_silence_timeout_in_seconds, _TRAILING_SILENCE)
    if action.stop_tones == ():
        yield ".stopTones: must not be empty"
    yield from _stop_tones(action.stop_tones or ())


def _transfer(action: wire.Transfer) -> Problems:
    if not is_target(action.target):
        yield ".target: must be a sip:, sips: or tel: address"
    yield from _within(".timeoutInSeconds", action.timeout_in_seconds, _RINGING)
    if action.whisper is not None and len(action.whisper) > _MOST_WHISPERED:
        yield f".whisper: at most {_MOST_WHISPERED} characters"


def _before(prompt: wire.PlayPrompt | None) -> Problems:
    """Judge the prompt of a question or a recording, which is a whole action."""
    if prompt is not None:
        yield from _at(".playPrompt", _action(prompt))


def _stop_tones(tones: tuple[str, ...]) -> Problems:
    if len(tones) > _MOST_STOP_TONES:
        yield f".stopTones: at most {_MOST_STOP_TONES}"


# --- for all ---------------------------------------------------------------------------------------------------------


def _at(place: str, found: Iterable[str]) -> Problems:
    for problem in found:
        yield place + problem


def _within(place: str, value: float | None, limits: Range) -> Problems:
    low, high = limits
    if value is not None and not low <= value <= high:
        yield f"{place}: must be {low:,} to {high:,}"


def _blank(text: str | None) -> bool:
    return not text or text.isspace()


def _units(text: str) -> int:
    """Count as .NET does: UTF-16 units."""
    return len(text.encode("utf-16-le")) // 2


def _is_this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
