"""Which messages of the wire are allowed (protocol 4 to 8), at two levels (protocol 18): the contract, for tests.

*Lenient* is what Microsoft's own classes accept, but for the defects that are named here where they are not copied; for
what comes in, that is `ivr.channels.skype.rules`. *Strict* is what we emit: what every generation of the vendor's
classes takes, in the contract's exact spelling.
The phone has rules of its own (`ivr.phone.wire.rulebook`); that both judge any workflow alike is a test.
A rule yields a sentence per violation, each beginning with its place; no violation, no sentence.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from ipaddress import ip_address
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import msgspec

from ivr.channels.skype import reading, rules, wire
from ivr.channels.skype.rules import MAX_APP_STATE, MAX_STOP_TONES, MAX_TEXT
from ivr.engine.events import PHONE_KEYS
from ivr.errors import WebhookError
from ivr.spoken_text import utf16_units

Problems: TypeAlias = Iterator[str]

MAX_SILENCE = 60_000
"Milliseconds of one silence."
MAX_DIGITS = 20
MAX_DIGITS_OF_CSHARP = 5
MAX_SPEECH = 5

_RANK = {
    wire.Answer: 1,
    wire.PlayPrompt: 2,
    wire.Record: 2,
    wire.Recognize: 2,
    wire.Hangup: 3,
    wire.Transfer: 3,
    wire.Reject: 0,
}
_ADDRESS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.!~*'()&=+$,;?/%:@#[]"


def refusals(
    shape: type[wire.Message | wire.Workflow],
    tree: object,
    *,
    strict: bool = False,
    transfer: bool = False,
    questions: bool = False,
) -> tuple[str, ...]:
    """Return why a JSON value is not allowed as a message of this shape; empty: it is allowed.

    `transfer`, `questions`: the platform has offered it in this call (protocol 23, 25).
    """
    try:
        message = reading.read(shape, tree)
    except WebhookError as exc:
        return (exc.message,)
    found = tuple(violations(message, strict=strict, transfer=transfer, questions=questions))
    # Folding hides other spellings, unknown words and members: what is read is written again, and must be the same.
    if strict and _sorted_json(message) != _sorted_json(tree):
        found += ("$: not in the contract's exact spelling, or with members that it does not have",)
    return found


def violations(
    message: wire.Message | wire.Workflow, *, strict: bool = False, transfer: bool = False, questions: bool = False
) -> Problems:
    """Return the rules that a message breaks, once it has been read."""
    match message:
        case wire.Workflow():
            yield from _workflow(message, strict)
            yield from _transfers(message, offered=transfer)
            yield from _several_keys(message, offered=questions)
        case wire.ConversationResult():
            yield from _result(message, strict)
            if isinstance(message.operation_outcome, wire.TransferOutcome) and not transfer:
                yield "operationOutcome.type: not an outcome of the protocol"
        case wire.Conversation():
            yield from rules.violations(message)
            if strict:
                yield from _app_state(message.app_state, strict)
        case _:
            yield from rules.violations(message)


# --- workflow (protocol 5, 8) ----------------------------------------------------------------------------------------


def _workflow(workflow: wire.Workflow, strict: bool) -> Problems:
    yield from _together(workflow.actions, strict)
    for index, action in enumerate(workflow.actions):
        yield from _action(action, f"actions[{index}]", strict)
    if workflow.links is not None and not _callback_allowed(workflow.links.callback, strict):
        yield "links.callback: must be an absolute https address"
    yield from _app_state(workflow.app_state, strict)


def _together(actions: Sequence[wire.Action], strict: bool) -> Problems:
    """Check which actions may stand together, and in which order (protocol 8)."""
    if not actions:
        yield "actions: must not be empty"
    kinds = [type(action) for action in actions]
    if wire.Reject in kinds and len(kinds) > 1:
        yield "actions: reject stands alone"
    ranks = [_RANK[kind] for kind in kinds]
    if ranks != sorted(ranks):
        yield "actions: the order is answer, then playPrompt, record and recognize, then hangup or transfer"
    if wire.Hangup in kinds and wire.Transfer in kinds:
        yield "actions: either hangup or transfer"
    for kind, count in Counter(kinds).items():
        # Until May 2017 no action could repeat, playPrompt included.
        if count > 1 and (strict or kind is not wire.PlayPrompt):
            yield f"actions: {kind.__struct_config__.tag} may stand there once"
    # The vendor's validator does not mind, but only the last outcome is reported: an answer or audio would be lost.
    if strict and any(kind in (wire.Recognize, wire.Record) for kind in kinds[:-1]):
        yield "actions: nothing may follow recognize or record"


def _several_keys(workflow: wire.Workflow, *, offered: bool) -> Problems:
    """Check what the vendor's classes do not know: a choice of several keys (protocol 25)."""
    for index, action in enumerate(workflow.actions):
        for choice in (action.choices or ()) if isinstance(action, wire.Recognize) and not offered else ():
            if len(choice.dtmf_variation or "") > 1:
                yield f"actions[{index}].choices: {choice.dtmf_variation} is not one key"


def _transfers(workflow: wire.Workflow, *, offered: bool) -> Problems:
    """Check the addresses of an addition of ours, which is none of the vendor's actions (protocol 23)."""
    for index, action in enumerate(workflow.actions):
        if not isinstance(action, wire.Transfer):
            continue
        if not offered:
            yield f"actions[{index}].action: transfer was not offered"
        scheme, colon, rest = action.target.partition(":")
        if scheme not in ("sip", "sips", "tel") or not colon or not rest or len(action.target) > 256:
            yield f"actions[{index}].target: no address"
        if not set(rest) <= set(_ADDRESS):
            yield f"actions[{index}].target: a sign that no address has"


def _action(action: wire.Action, at: str, strict: bool) -> Problems:
    if _blank(action.operation_id):
        yield f"{at}.operationId: must not be blank"
    match action:
        case wire.Answer():
            yield from _modalities(action.accept_modality_types or (), f"{at}.acceptModalityTypes")
        case wire.PlayPrompt():
            yield from _play_prompt(action, at, strict)
        case wire.Recognize():
            yield from _recognize(action, at, strict)
        case wire.Record():
            yield from _record(action, at, strict)
        case _:  # hangup and reject have no members of their own
            pass


def _modalities(modalities: Sequence[wire.Modality], at: str) -> Problems:
    if len(set(modalities)) < len(modalities):
        yield f"{at}: each only once"
    if not {"audio", "video"}.issuperset(modalities):
        yield f"{at}: only audio and video"


def _play_prompt(action: wire.PlayPrompt, at: str, strict: bool) -> Problems:
    if not action.prompts:
        yield f"{at}.prompts: must not be empty"
    for index, prompt in enumerate(action.prompts):
        yield from _prompt(prompt, f"{at}.prompts[{index}]", strict)


def _prompt(prompt: wire.Prompt, at: str, strict: bool) -> Problems:
    text, file, silence = not _blank(prompt.value), bool(prompt.file_uri), prompt.silence_length_in_milliseconds
    if text and file:
        yield f"{at}: either value or fileUri"
    if not text and not file and not silence:
        yield f"{at}: needs a value, a fileUri or a silence above 0"
    # Blank text counts as absent, however long.
    if prompt.value and (strict or text) and utf16_units(prompt.value) > MAX_TEXT:
        yield f"{at}.value: at most {MAX_TEXT} UTF-16 units"
    if silence is not None and not (1 if strict else 0) <= silence <= MAX_SILENCE:
        yield f"{at}.silenceLengthInMilliseconds: {1 if strict else 0} to {MAX_SILENCE}"
    if strict and prompt.file_uri is not None and not _web_address(prompt.file_uri):
        yield f"{at}.fileUri: must be an absolute http or https address"


def _recognize(action: wire.Recognize, at: str, strict: bool) -> Problems:
    yield from _nested(action.play_prompt, at, strict)
    initial, between = action.initial_silence_timeout_in_seconds, action.interdigit_timeout_in_seconds
    yield from _seconds(initial, 1, 30, f"{at}.initialSilenceTimeoutInSeconds", strict)
    yield from _seconds(between, 1, 5, f"{at}.interdigitTimeoutInSeconds", strict)
    if (action.choices is None) == (action.collect_digits is None):
        yield f"{at}: needs either choices or collectDigits"
    if action.choices is not None:
        yield from _choices(action.choices, f"{at}.choices", strict)
    if action.collect_digits is not None:
        yield from _collect_digits(action.collect_digits, f"{at}.collectDigits", strict)


def _choices(choices: Sequence[wire.RecognitionOption], at: str, strict: bool) -> Problems:
    if not choices:
        yield f"{at}: must not be empty"
    for index, choice in enumerate(choices):
        yield from _choice(choice, f"{at}[{index}]", strict)
    keys = [choice.dtmf_variation for choice in choices if choice.dtmf_variation is not None]
    if len(set(keys)) < len(keys):
        yield f"{at}: a key stands for one choice"
    words = [word for choice in choices for word in choice.speech_variation or ()]
    if len(set(words)) < len(words):
        yield f"{at}: a spoken form stands there once"


def _choice(choice: wire.RecognitionOption, at: str, strict: bool) -> Problems:
    speech = choice.speech_variation
    if _blank(choice.name):
        yield f"{at}.name: must not be blank"
    if not speech and choice.dtmf_variation is None:
        yield f"{at}: needs speechVariation or dtmfVariation"
    if strict and speech == ():
        yield f"{at}.speechVariation: must not be empty"
    if speech and (len(speech) > MAX_SPEECH or any(map(_blank, speech))):
        yield f"{at}.speechVariation: at most {MAX_SPEECH}, none blank"


def _collect_digits(digits: wire.CollectDigits, at: str, strict: bool) -> Problems:
    maximum, tones = digits.max_number_of_dtmfs, digits.stop_tones
    if maximum is None and not tones:
        yield f"{at}: needs maxNumberOfDtmfs or stopTones"
    if maximum is not None and not 1 <= maximum <= MAX_DIGITS:
        yield f"{at}.maxNumberOfDtmfs: 1 to {MAX_DIGITS}"
    yield from _stop_tones(tones, f"{at}.stopTones", strict, least=1 if strict else 0)


def _record(action: wire.Record, at: str, strict: bool) -> Problems:
    yield from _nested(action.play_prompt, at, strict)
    initial, trailing = action.initial_silence_timeout_in_seconds, action.max_silence_timeout_in_seconds
    # Before 2016-09-20 a recording had 10 seconds at least and a trailing silence of 1.
    yield from _seconds(action.max_duration_in_seconds, 10 if strict else 2, 600, f"{at}.maxDurationInSeconds", strict)
    yield from _seconds(initial, 1, 30, f"{at}.initialSilenceTimeoutInSeconds", strict)
    yield from _seconds(trailing, 1 if strict else 0, 30, f"{at}.maxSilenceTimeoutInSeconds", strict)
    yield from _stop_tones(action.stop_tones, f"{at}.stopTones", strict, least=1)


def _nested(action: wire.PlayPrompt | None, at: str, strict: bool) -> Problems:
    if action is not None:
        yield from _action(action, f"{at}.playPrompt", strict)


def _stop_tones(tones: Sequence[str] | None, at: str, strict: bool, *, least: int) -> Problems:
    if tones is None:
        return
    if not least <= len(tones) <= MAX_STOP_TONES:
        yield f"{at}: {least} to {MAX_STOP_TONES} keys"
    if strict and len(set(tones)) < len(tones):
        yield f"{at}: each key only once"


def _seconds(value: wire.Number | None, low: int, high: int, at: str, strict: bool) -> Problems:
    if value is None:
        return
    if not low <= value <= high:
        yield f"{at}: {low} to {high} seconds"
    if strict and isinstance(value, float):  # whole numbers before 2016-09-20
        yield f"{at}: whole seconds, written without a fraction"


# --- result (protocol 6) ----------------------------------------------------------------------------------------------


def _result(result: wire.ConversationResult, strict: bool) -> Problems:
    outcome = result.operation_outcome
    if _blank(result.id):
        yield "id: must not be blank"
    if _blank(outcome.id):
        yield "operationOutcome.id: must not be blank"
    match outcome:
        case wire.RecognizeOutcome():
            yield from _recognize_outcome(outcome, strict)
        case wire.RecordOutcome():
            yield from _record_outcome(outcome)
        case wire.UnknownOutcome():
            yield "operationOutcome.type: not an outcome of the protocol"
        case _:
            pass
    yield from _app_state(result.app_state, strict)


def _recognize_outcome(outcome: wire.RecognizeOutcome, strict: bool) -> Problems:
    if outcome.outcome == "failure":
        return
    choice, digits = outcome.choice_outcome, outcome.collect_digits_outcome
    if (choice is None) == (digits is None):
        yield "operationOutcome: a success has either choiceOutcome or collectDigitsOutcome"
    if choice is not None and _blank(choice.choice_name):
        yield "operationOutcome.choiceOutcome.choiceName: a success needs one"
    pressed = (digits.digits or "") if digits is not None else None
    if pressed is not None and not PHONE_KEYS.issuperset(pressed):
        yield "operationOutcome.collectDigitsOutcome.digits: only keys"
    # The vendor's classes want five at most, since the check reuses the rule for stop tones: a defect that only our
    # strict level respects.
    most = MAX_DIGITS_OF_CSHARP if strict else MAX_DIGITS
    if pressed is not None and not 1 <= len(pressed) <= most:
        yield f"operationOutcome.collectDigitsOutcome.digits: 1 to {most} keys"


def _record_outcome(outcome: wire.RecordOutcome) -> Problems:
    failed, length = outcome.outcome == "failure", outcome.length_of_recording_in_secs
    if length is None:
        yield "operationOutcome.lengthOfRecordingInSecs: must be a number"
    elif failed == (length > 0):
        yield "operationOutcome.lengthOfRecordingInSecs: above 0 for a success, 0 for a failure"


# --- for all ---------------------------------------------------------------------------------------------------------


def _app_state(state: str | None, strict: bool) -> Problems:
    # Blank text of any length escapes the vendor's check.
    if state and (strict or not _blank(state)) and utf16_units(state) > MAX_APP_STATE:
        yield f"appState: at most {MAX_APP_STATE} characters"
    if strict and state and len(state.encode()) > MAX_APP_STATE:
        yield f"appState: at most {MAX_APP_STATE} bytes"


def _blank(text: str | None) -> bool:
    return text is None or not text.strip()


def _callback_allowed(address: str, strict: bool) -> bool:
    """Return whether the platform may be sent there; http, for development, only to the same machine."""
    return _web_address(address, "https") or (not strict and _web_address(address, "http") and _loopback(address))


def _web_address(address: str, *schemes: str) -> bool:
    try:
        parts = urlsplit(address)
        _ = parts.port  # raises for what is none
        return parts.scheme in (schemes or ("http", "https")) and bool(parts.hostname)
    except ValueError:  # brackets that hold no address, a port that is no number
        return False


def _loopback(address: str) -> bool:
    host = urlsplit(address).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _sorted_json(value: Any) -> bytes:
    return msgspec.json.encode(value, order="sorted")
