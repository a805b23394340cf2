"""What a line that can do less makes of one place of a call: a rule for each difference between lines. Pure.

A rule takes a place of a call and what a line can do, and returns what is noticed there; None: nothing is. What the
differences are in general, and which lines have them, is in `line_differences`.
"""

from collections.abc import Iterable, Sequence
from math import ceil

from msgspec import Struct

from ivr.capabilities import Capabilities
from ivr.engine.commands import Text
from ivr.engine.events import (
    CallReceived,
    ChoiceMade,
    InputInvalid,
    InputTimedOut,
    KeysJudged,
    KeysPressed,
    SpeechHeard,
    TransferFailed,
    Transferred,
)
from ivr.trace import case
from ivr.trace.case import Asked, AskedChoices, AskedKeys, AskedRecording, AskedTransfer, Ending, Happened, Heard


class Moment(Struct, frozen=True):
    """One place of a call: what was asked there and what answered it, or what was heard, or how the call ended."""

    language: str
    "The flow's own, in which plain texts are."
    asked: Asked | None = None
    "What was asked."
    event: Happened | None = None
    "What answered it, or happened instead."
    heard: tuple[Heard, ...] = ()
    "What was played to its end."
    end: Ending | None = None


# --- questions -------------------------------------------------------------------------------------------------------


def end_keys(moment: Moment, can: Capabilities) -> str | None:
    """Find where only some of the end keys end an input."""
    asked, event = moment.asked, moment.event
    if not isinstance(asked, AskedKeys) or len(asked.terminators) <= can.terminators:
        return None
    if not (isinstance(event, KeysJudged) or (isinstance(event, KeysPressed) and event.ended == "terminator")):
        return None
    kept, lost = asked.terminators[: can.terminators], asked.terminators[can.terminators :]
    return f"only {_keys(kept)} ends the input at once; after {_keys(lost)} the line waits for a pause"


def one_timer(moment: Moment, can: Capabilities) -> str | None:
    """Find where silence and pause are one time."""
    asked, event = moment.asked, moment.event
    if can.separate_first_timeout or not isinstance(asked, AskedKeys | AskedChoices) or asked.inter_digit is None:
        return None
    longer = max(asked.silence, asked.inter_digit)
    if isinstance(event, InputTimedOut) and longer != asked.silence:
        return f"silence lasts {longer:g} s before the flow goes on, not {asked.silence:g} s"
    paused = isinstance(event, KeysJudged) or (isinstance(event, KeysPressed) and event.ended == "silence")
    if paused and longer != asked.inter_digit:
        return f"after the last key the line waits for {longer:g} s, not {asked.inter_digit:g} s"
    return None


def lone_end_key(moment: Moment, can: Capabilities) -> str | None:
    """Find where an end key alone is silence."""
    event = moment.event
    if can.lone_terminator or not (isinstance(event, KeysPressed) and not event.keys and event.ended == "terminator"):
        return None
    return "the end key alone counts as silence, not as an answer that is too short"


def type_ahead(moment: Moment, can: Capabilities) -> str | None:
    """Find where keys before the question are lost."""
    asked = moment.asked
    if can.type_ahead or not (isinstance(asked, AskedKeys | AskedChoices) and asked.type_ahead):
        return None
    if not _by_keys(moment):
        return None
    return "keys that were pressed before the question are lost, and have to be pressed again"


def barge_in_by_kind(moment: Moment, can: Capabilities) -> str | None:
    """Find where keys and words interrupt alike."""
    asked = moment.asked
    if can.barge_in_by_kind or not isinstance(asked, AskedKeys | AskedChoices) or not _answered(moment):
        return None
    if asked.barge_in_speech is None or asked.barge_in_speech is asked.barge_in:
        return None
    what = "interrupts" if asked.barge_in else "does not interrupt"
    return f"whoever speaks during the prompt {what} it, as whoever presses a key"


def whole_prompt(moment: Moment, can: Capabilities) -> str | None:
    """Find where the prompt's last part alone can be interrupted."""
    asked = moment.asked
    if can.whole_prompt_interruptible or not isinstance(asked, AskedKeys | AskedChoices) or len(asked.prompt) < 2:
        return None
    if not (asked.barge_in or asked.barge_in_speech) or not _answered(moment):
        return None
    return "only the last part of the prompt can be interrupted; keys pressed before it are lost"


def speech(moment: Moment, can: Capabilities) -> str | None:
    """Find where words are not understood."""
    if not isinstance(moment.asked, AskedChoices) or not _chosen(moment, "speech"):
        return None
    language = moment.asked.language or moment.language
    return None if can.hears(language) else f"nothing that is said in {language} is understood: only keys count"


def other_words(moment: Moment, can: Capabilities) -> str | None:
    """Find where words that are no choice are an answer."""
    asked = moment.asked
    if can.passes_over_words or not isinstance(asked, AskedChoices) or not isinstance(moment.event, InputTimedOut):
        return None
    if not can.speech or not any(choice.speech for choice in asked.choices):
        return None
    return "who said something else than a choice hears at once that it is none, not the text for silence"


def long_keys(moment: Moment, can: Capabilities) -> str | None:
    """Find where words are not understood beside choices of several keys."""
    if can.long_keys or not isinstance(moment.asked, AskedChoices) or moment.asked.inter_digit is None:
        return None
    return "nothing that is said is understood here: only keys count" if _chosen(moment, "speech") else None


def free_speech(moment: Moment, can: Capabilities) -> str | None:
    """Find where values that are said are not understood."""
    if can.free_speech or not isinstance(moment.event, SpeechHeard):
        return None
    return "a value that is said is not understood: only keys count"


def _chosen(moment: Moment, by: str) -> bool:
    return isinstance(moment.event, ChoiceMade) and moment.event.by == by


def _by_keys(moment: Moment) -> bool:
    return isinstance(moment.event, KeysPressed | KeysJudged) or _chosen(moment, "keys")


def _answered(moment: Moment) -> bool:
    return _by_keys(moment) or isinstance(moment.event, ChoiceMade | SpeechHeard | InputInvalid)


# --- recordings ------------------------------------------------------------------------------------------------------


def no_recording(moment: Moment, can: Capabilities) -> str | None:
    """Find where there is no recorder."""
    asks = isinstance(moment.asked, AskedRecording) and moment.event is None
    return "nothing can be recorded" if can.recording == "none" and asks else None


def in_writing(moment: Moment, can: Capabilities) -> str | None:
    """Find where what is said may come in writing."""
    if not can.writes or not isinstance(moment.event, case.Recorded):
        return None
    return "the caller writes, or sends a voice message: what is written has no audio, and needs no speech engine"


def recording_later(moment: Moment, can: Capabilities) -> str | None:
    """Find where the recording has to be fetched."""
    event = moment.event
    if can.recording != "later" or not (isinstance(event, case.Recorded) and event.ended != "hangup"):
        return None
    return "the recording is fetched from the carrier first: the caller hears the hold prompt, or a pause"


def recording_format(moment: Moment, can: Capabilities) -> str | None:
    """Find where the recording comes as WAV."""
    asked = moment.asked
    if not isinstance(asked, AskedRecording) or not isinstance(moment.event, case.Recorded):
        return None
    return None if asked.format in can.recording_formats else f"the recording is kept as wav, not as {asked.format}"


def silent_recording(moment: Moment, can: Capabilities) -> str | None:
    """Find where silence is a recording, too."""
    if can.tells_silence or not isinstance(moment.asked, AskedRecording):
        return None
    match moment.event:
        case InputTimedOut():
            return "a caller who says nothing leaves a recording of silence, and is not asked again"
        case case.HungUp(during="record"):
            return "a caller who hangs up without a word leaves a recording of silence"
    return None


def end_silence(moment: Moment, can: Capabilities) -> str | None:
    """Find where the silence that ends a recording is longer."""
    asked, event = moment.asked, moment.event
    if not isinstance(asked, AskedRecording) or not (isinstance(event, case.Recorded) and event.ended == "silence"):
        return None
    if asked.pause >= can.min_record_silence:
        return None
    return f"the recording ends after {can.min_record_silence:g} s of silence, not after {asked.pause:g} s"


def whole_seconds(moment: Moment, can: Capabilities) -> str | None:
    """Find where times are rounded up."""
    if not can.whole_seconds:
        return None
    asked, event = moment.asked, moment.event
    times: Sequence[float | None] = ()
    match asked:
        case AskedRecording() if isinstance(event, case.Recorded):
            times = (asked.pause, asked.longest)
        case AskedKeys() | AskedChoices() | AskedRecording() if isinstance(event, InputTimedOut):
            times = (asked.silence,)
        case AskedKeys() | AskedChoices() if isinstance(event, KeysPressed | KeysJudged):
            times = (asked.inter_digit,)
    rounded = [f"{time:g} s become {ceil(time)} s" for time in times if time is not None and time != ceil(time)]
    return ", ".join(rounded) or None


# --- transfers, the beginning and the end ----------------------------------------------------------------------------


def transfer(moment: Moment, can: Capabilities) -> str | None:
    """Find where there is nobody to transfer calls."""
    if can.transfer or not isinstance(moment.asked, AskedTransfer) or moment.event is not None:
        return None
    return "the caller cannot be connected: the state raises failed.unsupported at once"


def transfer_failure(moment: Moment, can: Capabilities) -> str | None:
    """Find where not all reasons are told apart."""
    event = moment.event
    if can.any_transfer_failure or not isinstance(event, TransferFailed) or event.reason in ("busy", "unsupported"):
        return None
    return f"whether it was {event.reason} may not be told: failed.noAnswer or failed.unreachable can come instead"


def whisper(moment: Moment, can: Capabilities) -> str | None:
    """Find where the other side is not told of the caller."""
    asked = moment.asked
    if can.whisper or not (
        isinstance(asked, AskedTransfer) and asked.whisper and isinstance(moment.event, Transferred)
    ):
        return None
    return "whoever answers is not told of the caller"


def reject(moment: Moment, can: Capabilities) -> str | None:
    """Find where a rejected caller hears something."""
    if moment.end != "reject" or (can.reject and can.rejection == "declined"):
        return None
    if not can.reject:
        return "the call is answered and hung up, not rejected"
    heard = "the busy tone" if can.rejection == "busy" else "an announcement of the carrier"
    return f"the caller hears {heard}"


def place_left(moment: Moment, can: Capabilities) -> str | None:
    """Find where somebody left who was not asked anything yet."""
    event = moment.event
    if can.tells_place_left or not (isinstance(event, case.HungUp) and event.during in ("answer", "play")):
        return None
    return "a caller who leaves during this text is taken to leave at what follows it"


def tells_language(moment: Moment, can: Capabilities) -> str | None:
    """Find where the caller's language is not known."""
    event = moment.event
    if can.tells_language or not isinstance(event, CallReceived) or event.language is None:
        return None
    if event.language.partition("-")[0].lower() == moment.language.partition("-")[0].lower():
        return None
    return f"the caller's language ({event.language}) is not told: the flow begins in {moment.language}"


def language(moment: Moment, can: Capabilities) -> str | None:
    """Find where the line does not speak this language."""
    prompt = moment.asked.prompt if moment.asked is not None and moment.event is None else ()
    spoken = [_language_of(heard, moment.language) for heard in (*moment.heard, *prompt)]
    unspoken = dict.fromkeys(language for language in spoken if language and not can.speaks(language))
    return f"the line does not speak {', '.join(unspoken)}" if unspoken else None


def _language_of(heard: Heard, own: str) -> str | None:
    if isinstance(heard, str):
        return own
    return heard.language if isinstance(heard, Text) else None


def _keys(keys: Iterable[str]) -> str:
    return " or ".join(keys)
