"""The check `channel`: what a flow wants that a line cannot do (LANGUAGE C17)."""

from collections.abc import Iterator

from ivr.flowfile.document import Document
from ivr.flowfile.finding import Finding
from ivr.flowfile.model import State, TextPart
from ivr.flowfile.prompts import all_prompts
from ivr.ports import Capabilities


def check_channel(document: Document, can: Capabilities) -> Iterator[Finding]:
    """Compare a flow with what a line can do."""
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
