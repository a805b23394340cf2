"""Transcripts of files as text, JSON or SRT."""

import json
from collections.abc import Sequence

from msgspec import Struct, to_builtins

from ivr.flowfile.finding import visible
from ivr.ports import Spoken, Transcript

FORMS = ("text", "json", "srt")


class Transcribed(Struct, frozen=True):
    """What an engine made of a file."""

    file: str
    transcript: Transcript


class NotTranscribed(Struct, frozen=True):
    """A file without a transcript, and why."""

    file: str
    code: str
    "As a flow sees it: `timeout`, `failed` or `recording`."
    message: str


def as_text(results: Sequence[Transcribed | NotTranscribed]) -> str:
    """Return a line for each file that was heard; its name is before its words if there are several files."""
    named = len(results) > 1
    return "".join(
        f"{visible(f'{one.file}: ' if named else '')}{visible(one.transcript.text or '')}\n"
        for one in results
        if isinstance(one, Transcribed)
    )


def as_json(results: Sequence[Transcribed | NotTranscribed]) -> str:
    """Return a list with all that is known of each file."""
    return json.dumps([_members(one) for one in results], indent=2) + "\n"


def as_srt(results: Sequence[Transcribed | NotTranscribed]) -> str:
    """Return subtitles; a transcript without pieces is one, as long as the recording."""
    pieces = [piece for one in results if isinstance(one, Transcribed) for piece in _pieces(one.transcript)]
    return "\n".join(
        f"{number}\n{_time(piece.start)} --> {_time(piece.end)}\n{visible(piece.text)}\n"
        for number, piece in enumerate(pieces, 1)
    )


def _members(one: Transcribed | NotTranscribed) -> dict[str, object]:
    if isinstance(one, NotTranscribed):
        return {"file": one.file, "error": {"code": one.code, "message": one.message}}
    return {"file": one.file, **to_builtins(one.transcript)}


def _pieces(transcript: Transcript) -> Sequence[Spoken]:
    if transcript.spoken or transcript.text is None:
        return transcript.spoken
    return (Spoken(0.0, transcript.seconds or 0.0, transcript.text),)


def _time(seconds: float) -> str:
    whole, thousandths = divmod(round(seconds * 1000), 1000)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02},{thousandths:03}"
