"""`record`: how it is written."""

from collections.abc import Iterator, Mapping
from typing import Annotated, get_args

from pydantic import Field

from ivr.engine import commands
from ivr.engine.actions import record as engine
from ivr.engine.expressions.types import RECORDING, RECORDING_FIELDS, Type
from ivr.flowfile.actions.base import (
    AnsweredSpec,
    Builder,
    Confirmed,
    LineNeed,
    fractions,
    written_or,
)
from ivr.flowfile.containers import OneOrMany
from ivr.flowfile.fields import Bool, OneOf, Terminators, Text, Time
from ivr.flowfile.model_parts import Prompt, Spoken, spoken
from ivr.flowfile.source import Path

TRANSCRIPTION_ERRORS = ("error.transcribe.timeout", "error.transcribe.failed")


class Record(Confirmed):
    """Records the caller."""

    terminators: Annotated[str, Terminators()] = Field(
        "#", description='Keys that end the recording, as one text in quotes: default "#"; or none.'
    )
    needs_consent: Bool = Field(False, description="Each way here must pass a consent that was given.")
    sensitive: Bool = Field(False, description="The words are private: never spoken, logged or traced.")
    max_duration: Annotated[float, Time(10, 600)] = Field(120.0, description="10s to 10m, default 2m.")
    max_silence: Annotated[float, Time(1, 30)] | None = Field(
        None, description="Silence that ends the recording: 1s to 30s, default 3s."
    )
    beep: Bool = Field(True, description="A beep before the recording; default true.")
    format: Annotated[commands.RecordingFormat, OneOf(*get_args(commands.RecordingFormat))] | None = Field(
        None, description="The audio's format; default wma."
    )
    transcribe: Bool = Field(False, description="Transcribe the recording with a speech engine.")
    transcribe_timeout: Annotated[float, Time(1, 300)] = Field(
        30.0, description="How long the engine may work: 1s to 5m, default 30s."
    )
    phrases: Annotated[list[Text], OneOrMany()] | None = Field(None, description="Words to listen for.")
    hold_prompt: Prompt | None = Field(None, description="Heard while the engine works; default a short silence.")


class RecordSpec(AnsweredSpec[Record]):
    """The action `record` (LANGUAGE C4)."""

    word = "record"
    description = "Records the caller."
    runs = engine.Record
    model = Record
    event_fields = tuple(RECORDING_FIELDS)
    answer_type = RECORDING
    kept_as = frozenset({"recording"})
    answer_called = "a recording"
    private_fields = frozenset(RECORDING_FIELDS)

    @classmethod
    def may_change_events(cls, inner: Path) -> bool:
        """Return whether it may be transcribed."""
        return inner == ("transcribe",)

    @property
    def is_sensitive(self) -> bool:
        """Whether the author says that the words are private."""
        return self.written.sensitive

    def build(self, state: str, builder: Builder) -> engine.Record:
        """Make what the engine runs."""
        asked, into = self.written, self.kept_in(state)
        return engine.Record(
            self.question(builder),
            order=commands.Record(
                op="",
                prompt=(),
                max_duration=asked.max_duration,
                max_silence=written_or(asked.max_silence, builder.defaults.max_silence),
                terminators=asked.terminators,
                beep=asked.beep,
                format=asked.format,
            ),
            into=into,
            transcribe=asked.transcribe,
            transcribe_timeout=asked.transcribe_timeout,
            phrases=tuple(asked.phrases or ()),
            hold_prompt=builder.prompt(asked.hold_prompt),
            sensitive=builder.variables[into].sensitive,
        )

    def successes(self) -> tuple[str, ...]:
        """Return that the caller was recorded."""
        return ("recorded",)

    def failures(self) -> tuple[str, ...]:
        """Return what can go wrong with the audio, and with its words."""
        return ("error.recording", *(TRANSCRIPTION_ERRORS if self.written.transcribe else ()))

    def fields(self, event: str) -> Mapping[str, Type]:
        """Return what is known of the recording."""
        return RECORDING_FIELDS if event in {"recorded", *TRANSCRIPTION_ERRORS} else {}

    def stores_on(self, event: str) -> bool:
        """Return whether there is a recording: whatever became of its words, the audio is kept."""
        return event in {"recorded", "error.recording", *TRANSCRIPTION_ERRORS}

    def prompts(self, here: Path) -> Iterator[Spoken]:
        """Go through the question, and what is heard while a speech engine works."""
        yield from super().prompts(here)
        yield from spoken(self.written.hold_prompt, (*here, "holdPrompt"))

    def needs(self, here: Path) -> Iterator[LineNeed]:
        """Return that the caller is recorded, what is to end that, and in which format it is to come."""
        asked = self.written
        yield from super().needs(here)
        yield LineNeed("record", here)
        yield LineNeed("recordTerminators", (*here, "terminators"), len(asked.terminators))
        yield LineNeed("silentRecording", here)
        if asked.format is not None:
            yield LineNeed("recordFormat", (*here, "format"), value=asked.format)
        if asked.max_silence is not None:
            yield LineNeed("shortSilence", (*here, "maxSilence"), seconds=asked.max_silence)
            yield LineNeed("recordSilence", (*here, "maxSilence"))
        yield from fractions(here, maxDuration=asked.max_duration, maxSilence=asked.max_silence)
