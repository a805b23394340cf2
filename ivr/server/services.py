"""What a `Request` of the engine is carried out by: one service per name.

A service may be asked the same thing twice after a crash; the job is the key by which it can tell.
"""

from collections.abc import Mapping
from typing import Protocol

from ivr.engine.commands import Request
from ivr.engine.events import Scalar
from ivr.errors import IvrError, TranscriptionFailed
from ivr.ports import SpeechToText
from ivr.server.recordings import Recordings


class ServiceError(IvrError):
    """A service's "no"; `code` is what the flow sees (`ServiceFailed.code`)."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Service(Protocol):
    """Something outside that a call may wait for."""

    async def run(self, request: Request) -> Mapping[str, Scalar]:
        """Carry out a request and give its answer; raise ServiceError if it cannot be done."""


class Transcription:
    """The service `transcribe`: a recording's words, as `{"transcript", "confidence"}`, which flows read.

    Where the engine tells, `engine` (who understood them) and `seconds` (how long the recording is) are in the trace.
    """

    def __init__(self, engine: SpeechToText, recordings: Recordings) -> None:
        self._engine = engine
        self._recordings = recordings

    async def run(self, request: Request) -> Mapping[str, Scalar]:
        """Ask the speech engine."""
        arguments = request.arguments
        phrases = arguments.get("phrases")
        try:
            heard = await self._engine.transcribe(
                self._recordings.path(str(arguments["media"])),
                language=str(arguments["language"]),
                phrases=phrases if isinstance(phrases, tuple | list) else (),
            )
        except TranscriptionFailed as error:
            raise ServiceError(error.code) from error
        except FileNotFoundError as error:
            raise ServiceError("recording") from error
        told: dict[str, Scalar] = {"transcript": heard.text, "confidence": heard.confidence}
        if heard.engine:
            told["engine"] = heard.engine
        if heard.seconds is not None:
            told["seconds"] = heard.seconds
        return told
