"""The check `speech`: what a flow wants that the speech engine has not."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from ivr.flowfile.document import Document
from ivr.flowfile.finding import Finding

Lacks: TypeAlias = Callable[[str, bool, str | None], Sequence[str]]
"""Says of a language, whether there are phrases, and the audio's format (None: whatever the line sends), what of that
the engine has not: each the rest of a sentence that begins "The speech engine"."""


def check_speech(document: Document, lacks: Lacks) -> Iterator[Finding]:
    """Compare a flow with what an engine can do. All are warnings: the call goes on without its words."""
    for name, state in document.states():
        record = state.record
        if record is None or not record.transcribe:
            continue
        for missing in lacks(document.model.language, bool(record.phrases), record.format):
            path = ("states", name, "record", "transcribe")
            yield document.warning("speech", path, f"The speech engine {missing}.", key=True)
