"""What `ivr check` finds beyond the words of a file: one module per group, one small function per check.

Each check looks at the whole document and gives its findings; none relies on another, so one mistake hides no other.
What a cut-out part of the file would make wrong, a check leaves unsaid.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

from ivr.flowfile.assets import UnplayableAudio
from ivr.flowfile.checks import (
    always,
    answers,
    braces,
    dialogue,
    events,
    guessing,
    lists,
    proofs,
    shape,
    told,
    truths,
    unread,
    values,
    variables,
)
from ivr.flowfile.checks.allow import allow, unacknowledged
from ivr.flowfile.checks.channel import check_channel
from ivr.flowfile.checks.compared import never_equal
from ivr.flowfile.checks.counts import prompt_limit
from ivr.flowfile.checks.speech import Missing, Phrases, check_phrases, check_speech
from ivr.flowfile.document import Document
from ivr.flowfile.finding import Finding
from ivr.ports import Capabilities

__all__ = ["CHECKS", "check", "unacknowledged"]

Check: TypeAlias = Callable[[Document], Iterator[Finding]]

CHECKS: tuple[Check, ...] = (
    *shape.CHECKS,
    *events.CHECKS,
    *dialogue.CHECKS,
    *told.CHECKS,
    prompt_limit,
    *braces.CHECKS,
    *values.CHECKS,
    *lists.CHECKS,
    *truths.CHECKS,
    *always.CHECKS,
    *variables.CHECKS,
    *answers.CHECKS,
    *unread.CHECKS,
    *proofs.CHECKS,
    *guessing.CHECKS,
    allow,
)


def check(
    document: Document,
    audio: Mapping[str, bytes | UnplayableAudio],
    channel: Capabilities | None = None,
    missing: Missing | None = None,
    phrases: Phrases | None = None,
) -> Iterator[Finding]:
    """Run all checks.

    `audio` is what became of the flow's files, `channel` what a line can do, `missing` what a speech engine cannot,
    and `phrases` what it makes of them.
    """
    for look in CHECKS:
        yield from look(document)
    yield from dialogue.audio_text(document, audio)
    yield from never_equal(document, only_phrases=phrases is not None and phrases.only)
    if channel is not None:
        yield from check_channel(document, channel)
    if missing is not None:
        yield from check_speech(document, missing)
    if phrases is not None:
        yield from check_phrases(document, phrases)
