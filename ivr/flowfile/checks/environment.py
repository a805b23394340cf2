"""Checks of what a flow wants from its environment: the line (LANGUAGE C17), and the speech engine."""

from collections.abc import Iterator

from ivr.flowfile.checks.declaration import Check, Environment
from ivr.flowfile.checks.verbatim import nobody_says
from ivr.flowfile.document import Document
from ivr.flowfile.finding import Finding
from ivr.flowfile.model import State, TextPart
from ivr.flowfile.prompts import all_prompts
from ivr.ports import Capabilities

CHANNEL = Check(
    "channel",
    "error",
    "The line of `--channel` cannot do this; `ivr serve` has the one that is looked at by default.",
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
    "The speech engine of `--stt`, or of the settings, lacks what a transcript needs.",
    group="Dialogue",
    bad="""
start: {record: {prompt: Which department?, transcribe: true}, next: bye}
""",
    good="""
start: {record: {prompt: Which department?, transcribe: true, phrases: [sales, support]}, next: bye}
""",
)


@CHANNEL.environment_finder
def channel(document: Document, environment: Environment) -> Iterator[Finding]:
    """Find what the line cannot do."""
    can = environment.channel
    if can is None:
        return
    yield from _languages(document, can)
    for name, state in document.states():
        yield from _state(document, name, state, can)


def _languages(document: Document, can: Capabilities) -> Iterator[Finding]:
    """Find words that the line would have to speak or hear in a language it does not know."""
    if can.languages is None:
        return
    known = {tag.lower() for tag in can.languages}
    listed = ", ".join(sorted(can.languages))
    if document.model.language.lower() not in known:
        message = f"This line speaks and understands {listed} only, not {document.model.language}."
        path = ("language",) if document.source.has(("language",)) else ("flow",)
        yield document.finding("channel", path, message, "Use audio files, and keys instead of words.")
    for prompt in all_prompts(document):
        for number, part in enumerate(prompt.parts):
            if isinstance(part, TextPart) and part.language and part.language.lower() not in known:
                message = f"This line speaks {listed} only, not {part.language}."
                yield document.finding("channel", (*prompt.path, number, "language"), message, "Use an audio file.")


def _state(document: Document, name: str, state: State, can: Capabilities) -> Iterator[Finding]:
    here = ("states", name)
    if state.reject and not can.reject:
        message = "This line cannot decline a call."
        yield document.finding("channel", (*here, "reject"), message, 'Use "hangup".', key=True)
    if state.record and can.recording == "none":
        yield document.finding("channel", (*here, "record"), "This line cannot record.", key=True)
    for action, terminators in (("digits", state.digits), ("record", state.record)):
        keys = terminators.terminators if terminators else None
        if keys and len(keys) > can.terminators:
            message = f"On this line {can.terminators} key can end an input, not {len(keys)}."
            yield document.finding("channel", (*here, action, "terminators"), message, 'Write "#".')
    for choice, written in state.menu.choices.items() if state.menu and not can.speech else ():
        if written.dtmf is None:
            message = f'This line hears no words, and "{choice}" has no key.'
            yield document.finding("channel", (*here, "menu", "choices", choice), message, "Give it a key.", key=True)


@SPEECH.environment_finder
def phrases(document: Document, environment: Environment) -> Iterator[Finding]:
    """Find phrases that the engine cannot understand as they are written."""
    if environment.phrases is None:
        return
    for name, state in document.states():
        record = state.record
        for number, phrase in enumerate((record.phrases or ()) if record and record.transcribe else ()):
            lost = environment.phrases.lost(phrase)
            if lost and not nobody_says(phrase, document.model.language):
                path = ("states", name, "record", "phrases", number)
                message = f'The speech engine has no sounds for "{lost}".'
                yield document.warning("speech", path, message, "Write the phrase as it is spoken.")


@SPEECH.environment_finder
def transcripts(document: Document, environment: Environment) -> Iterator[Finding]:
    """Find what the engine cannot do. All are warnings: the call goes on without a transcript."""
    if environment.missing is None:
        return
    for name, state in document.states():
        record = state.record
        if record is None or not record.transcribe:
            continue
        for lack in environment.missing(document.model.language, bool(record.phrases), record.format):
            path = ("states", name, "record", "transcribe")
            yield document.warning("speech", path, f"The speech engine {lack}.", key=True)
