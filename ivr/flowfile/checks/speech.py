"""The check `speech`: what a flow wants that the speech engine has not."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from msgspec import Struct

from ivr.flowfile.checks.unread import nobody_says
from ivr.flowfile.document import Document
from ivr.flowfile.finding import Finding

Missing: TypeAlias = Callable[[str, bool, str | None], Sequence[str]]
"""Says of a language, whether there are phrases, and the audio's format (None: whatever the line sends), what of that
the engine has not: each the rest of a sentence that begins "The speech engine"."""


class Phrases(Struct, frozen=True):
    """What a speech engine makes of phrases."""

    only: bool
    "It understands nothing else."
    lost: Callable[[str], str]
    "Says which letters of a phrase it has no sounds for."


def check_phrases(document: Document, phrases: Phrases) -> Iterator[Finding]:
    """Find phrases that the engine cannot understand as they are written."""
    for name, state in document.states():
        record = state.record
        for number, phrase in enumerate((record.phrases or ()) if record and record.transcribe else ()):
            lost = phrases.lost(phrase)
            if lost and not nobody_says(phrase, document.model.language):
                path = ("states", name, "record", "phrases", number)
                message = f'The speech engine has no sounds for "{lost}".'
                yield document.warning("speech", path, message, "Write the phrase as it is spoken.")


def check_speech(document: Document, missing: Missing) -> Iterator[Finding]:
    """Compare a flow with what an engine can do. All are warnings: the call goes on without its words."""
    for name, state in document.states():
        record = state.record
        if record is None or not record.transcribe:
            continue
        for lack in missing(document.model.language, bool(record.phrases), record.format):
            path = ("states", name, "record", "transcribe")
            yield document.warning("speech", path, f"The speech engine {lack}.", key=True)
