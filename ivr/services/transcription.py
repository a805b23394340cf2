"""The service `transcribe`: a recording's words, by the speech engine of the settings."""

from ivr.engine.events import ServiceAnswered, Transcribed
from ivr.errors import TranscriptionFailed
from ivr.media_storage import MediaStore
from ivr.ports import SpeechToText
from ivr.services.service import ServiceError
from ivr.storage import Order


class Transcription:
    """The words of recordings."""

    def __init__(self, engine: SpeechToText, recordings: MediaStore) -> None:
        self._engine = engine
        self._recordings = recordings

    async def run(self, order: Order) -> ServiceAnswered:
        """Ask the speech engine."""
        arguments = order.request.arguments
        phrases = arguments.get("phrases")
        try:
            async with self._recordings.path(str(arguments["media"])) as file:
                heard = await self._engine.transcribe(
                    file,
                    language=str(arguments["language"]),
                    phrases=phrases if isinstance(phrases, tuple | list) else (),
                )
        except TranscriptionFailed as error:
            raise ServiceError(error.code) from error
        except FileNotFoundError as error:
            raise ServiceError("recording") from error
        answer = Transcribed(heard.text, heard.confidence, heard.engine, heard.seconds)
        return ServiceAnswered(order.request.job, answer)
