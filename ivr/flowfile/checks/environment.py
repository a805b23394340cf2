"""Checks of what a flow wants from its environment: the line (LANGUAGE C17), and the speech engine."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from msgspec import Struct

from ivr.capabilities import Capabilities
from ivr.engine.spoken_answers import is_understood
from ivr.flowfile.actions.base import LineNeed
from ivr.flowfile.checks.declaration import Check, Environment
from ivr.flowfile.checks.verbatim import unsayable_because
from ivr.flowfile.document import Document
from ivr.flowfile.finding import Finding, Problem, Text
from ivr.flowfile.model_parts import TextPart
from ivr.flowfile.prompts import all_prompts, parts_of
from ivr.flowfile.source import Path

CHANNEL = Check(
    "channel",
    "both",
    "The channel does not support this. Without `--channel`, it is each channel that the settings turn on.",
    group="Dialogue",
    bad="""
language: de-DE
states:
  start: {say: Guten Tag., next: bye}
""",
    good="""
language: en-US
states:
  start: {say: Good morning., next: bye}
""",
)

SPEECH = Check(
    "speech",
    "warning",
    "The speech engine does not support this. It is the one of `--stt`, or of the settings.",
    group="Dialogue",
    bad="""
start: {record: {prompt: Which department?, transcribe: true}, next: bye}
""",
    good="""
start: {record: {prompt: Which department?, transcribe: true, phrases: [sales, support]}, next: bye}
""",
)


_LISTED = 5
"Languages that are named; a voice that has more of them has a list of its own."


@CHANNEL.error
def _language(known: Sequence[str], language: str) -> Text:
    advice = "Use audio files, and keys instead of speech."
    if len(known) > _LISTED:
        return f"The channel does not speak {language}.", "Use audio files."
    return f"The channel supports only {', '.join(known)}, not {language}.", advice


@CHANNEL.error
def _language_of_text(known: Sequence[str], language: str) -> Text:
    if len(known) > _LISTED:
        return f"The channel does not speak {language}.", "Use an audio file."
    return f"The channel speaks only {', '.join(known)}, not {language}.", "Use an audio file."


@CHANNEL.error
def _no_reject() -> Text:
    return 'The channel does not support "reject".', 'Use "hangup".'


@CHANNEL.error
def _no_record() -> Text:
    return 'The channel does not support "record".', ""


@CHANNEL.error
def _too_many_terminators(count: int, allowed: int) -> Text:
    keys = "1 terminator" if allowed == 1 else f"{allowed} terminators"
    return f"The channel supports {keys}, not {count}.", 'Write "#".'


@CHANNEL.error
def _no_speech(choice: str) -> Text:
    return f'The channel does not support speech, and "{choice}" has no key.', "Add a key."


@CHANNEL.error
def _no_speech_in(language: str, choice: str) -> Text:
    return f'The channel does not understand {language}, and "{choice}" has no key.', "Add a key."


@CHANNEL.warning
def _no_transfer() -> Text:
    return "The channel does not transfer calls: the state raises failed.unsupported at once.", ""


@CHANNEL.warning
def _no_barge_in_by_kind() -> Text:
    return "The channel does not tell keys from speech here: whatever keys may do, speech may, too.", ""


@CHANNEL.warning
def _no_type_ahead() -> Text:
    return "The channel does not keep keys that are pressed before the question.", ""


@CHANNEL.warning
def _no_free_speech() -> Text:
    return "The channel does not understand values that are said: only keys count.", ""


@CHANNEL.warning
def _no_free_speech_in(language: str) -> Text:
    message = f"Values that are said in {language} are not understood: only keys count."
    return message, "English, German, French and Spanish are."


@CHANNEL.warning
def _no_long_keys() -> Text:
    return "The channel does not understand speech in a menu with choices of several keys: only keys count.", ""


@SPEECH.message
def _not_pronounceable(letters: str) -> Text:
    return f'The speech engine cannot pronounce "{letters}".', "Write the phrase as it is spoken."


@SPEECH.message
def _not_supported_by_engine(what: str) -> Text:
    return f"The speech engine {what}.", ""


class _NotThere(Struct, frozen=True):
    """What a flow does without where a line has it not."""

    is_there: Callable[[Capabilities], bool]
    problem: Callable[[], Problem]


_NOT_THERE: Mapping[str, _NotThere] = {
    "transfer": _NotThere(lambda can: can.transfer, _no_transfer),
    "bargeIn": _NotThere(lambda can: can.barge_in_by_kind, _no_barge_in_by_kind),
    "typeAhead": _NotThere(lambda can: can.type_ahead, _no_type_ahead),
    "freeSpeech": _NotThere(lambda can: can.free_speech, _no_free_speech),
    "longKeys": _NotThere(lambda can: can.long_keys, _no_long_keys),
}


@CHANNEL.environment_finder
def channel(document: Document, environment: Environment) -> Iterator[Finding]:
    """Find what the line cannot do."""
    yield from environment.on_lines(partial(_lacking, document))


def _lacking(document: Document, can: Capabilities) -> Iterator[Finding]:
    yield from _languages(document, can)
    for name, state in document.states():
        for action in state.actions:
            for need in action.needs(("states", name, action.word)):
                yield from _unsupported(document, need, can)


def _languages(document: Document, can: Capabilities) -> Iterator[Finding]:
    """Find languages that the line does not speak or recognize."""
    listed = sorted(can.languages or ())
    for number, language in enumerate(document.model.all_languages):
        if not can.speaks(language) and not _is_all_audio(document, language):
            yield document.finding(_language(listed, language), _place_of_language(document, number))
    for prompt in all_prompts(document):
        for placed in parts_of(document, prompt):
            part = placed.part
            if isinstance(part, TextPart) and part.language and not can.speaks(part.language):
                yield document.finding(_language_of_text(listed, part.language), (*placed.path, "language"))


def _is_all_audio(document: Document, language: str) -> bool:
    """Return whether nothing that a flow of several languages says in one of them needs the line's voice."""
    if not document.model.languages:
        return False
    everything = (placed for prompt in all_prompts(document) for placed in parts_of(document, prompt))
    heard = (each for each in everything if each.is_heard_in(language) and each.spoken_in in (None, language))
    return not any(isinstance(placed.part, TextPart) for placed in heard)


def _place_of_language(document: Document, number: int) -> Path:
    if document.model.languages:
        return ("languages", number)
    return ("language",) if document.source.has(("language",)) else ("flow",)


def _unsupported(document: Document, need: LineNeed, can: Capabilities) -> Iterator[Finding]:
    """Compare what an action needs with what the line can do."""
    missing = _NOT_THERE.get(need.what)
    if missing is not None and not missing.is_there(can):
        yield document.finding(missing.problem(), need.path, key=True)
    match need.what:
        case "reject" if not can.reject:
            yield document.finding(_no_reject(), need.path, key=True)
        case "record" if can.recording == "none":
            yield document.finding(_no_record(), need.path, key=True)
        case "terminators" | "recordTerminators" if need.count > (allowed := _terminators_allowed(need, can)):
            yield document.finding(_too_many_terminators(need.count, allowed), need.path)
        case "speech" if not can.speech:
            yield document.finding(_no_speech(str(need.path[-1])), need.path, key=True)
        case "speech":
            for language in document.model.all_languages:
                is_silent = not can.speaks(language)  # which has been said, unless it is not needed
                if _is_all_audio(document, language) if is_silent else not can.hears(language):
                    yield document.finding(_no_speech_in(language, str(need.path[-1])), need.path, key=True)
        case "freeSpeech" if can.free_speech:
            unknown = [language for language in document.model.all_languages if not is_understood(language)]
            yield from (document.finding(_no_free_speech_in(language), need.path, key=True) for language in unknown)


def _terminators_allowed(need: LineNeed, can: Capabilities) -> int:
    if need.what == "recordTerminators":
        return can.record_terminators
    return need.count if can.later_terminators else can.terminators


@SPEECH.environment_finder
def phrases(document: Document, environment: Environment) -> Iterator[Finding]:
    """Find phrases that the engine cannot understand as they are written."""
    if environment.phrases is None:
        return
    for name, state in document.states():
        record = state.record
        for number, phrase in enumerate((record.phrases or ()) if record and record.transcribe else ()):
            lost = environment.phrases.lost(phrase)
            if lost and not unsayable_because(phrase, document.model.language):
                path = ("states", name, "record", "phrases", number)
                yield document.finding(_not_pronounceable(lost), path)


@SPEECH.environment_finder
def transcripts(document: Document, environment: Environment) -> Iterator[Finding]:
    """Find what the engine cannot do. All are warnings: the call goes on without a transcript."""
    if environment.missing is None:
        return
    for name, state in document.states():
        record = state.record
        if record is None or not record.transcribe:
            continue
        for language in document.model.all_languages:
            for lack in environment.missing(language, bool(record.phrases), record.format):
                path = ("states", name, "record", "transcribe")
                yield document.finding(_not_supported_by_engine(lack), path, key=True)
