"""`listen`: what the caller says goes to the bot's WebSocket, until the bot, the caller or a limit ends it."""

import json
from collections.abc import Mapping
from typing import Any

from ivr.carriers.jambonz.call_effects import StreamEnded, StreamOpened, StreamText
from ivr.carriers.jambonz.verb_runs import Running
from ivr.carriers.jambonz.verbs import Listen
from ivr.engine.commands import Record
from ivr.line import (
    KeyDown,
    KeyUp,
    Listening,
    PromptEnded,
    PromptFailed,
    PromptStarted,
    RecordingEnded,
    RecordingStarted,
    Result,
    Signal,
)

REST = 0.25
"Seconds after our beep: the two together last 0.5 s, as jambonz's tone of 1500 Hz does."
KEY_DURATION = 1600
"How long a key was held, in samples of 8 kHz."
LONGEST = 86_400.0
"Seconds of a `listen` without `maxLength`, for whoever plays the caller."


class Streaming(Running[Listen]):
    """One `listen`. Its sound is sent by whoever has it; here are its beginning, its keys and its end."""

    def __init__(self, op: str, verb: Listen, info: Mapping[str, Any]) -> None:
        """`info` is the call, as the first frame tells it."""
        super().__init__(op, verb)
        first = {"sampleRate": round(verb.sample_rate), "mixType": verb.mix_type, **info, **verb.metadata}
        self._first = json.dumps(first, ensure_ascii=False, separators=(",", ":"))
        self._held: str | None = None
        self._began: float | None = None
        self._connecting = False

    @property
    def is_open(self) -> bool:
        """Whether sound is sent."""
        return self._began is not None and self.done is None

    def begin(self, now: float) -> None:
        """Beep, then connect."""
        if self.verb.play_beep:
            self.effects.append(PromptStarted(self.op, (), interruptible=False, beep=True))
        else:
            self._connect()

    def _connect(self) -> None:
        self._connecting = True
        self.effects.append(StreamOpened(self.verb, self._first))

    def opened(self, now: float) -> None:
        """Take that it is connected: the caller's sound is sent from now on."""
        self._connecting = False
        self._began = now
        if self.verb.max_length > 0:
            self.deadline = now + self.verb.max_length
        keys = "0123456789*#ABCD" if self.verb.pass_dtmf else self.verb.finish_on_key or ""
        longest = self.verb.max_length or LONGEST
        command = Record(self.op, (), longest, longest, keys, beep=False, initial_silence=longest)
        self.effects += [RecordingStarted(self.op), Listening(self.op, command)]

    def over(self, now: float, why: str = "") -> None:
        """Take that the bot ended it, or could not be reached: either way its hook is asked what follows."""
        if self.done is None and (self._connecting or self.is_open):
            self._end("system" if self._began is None else "spoken", now, why=why)

    def take(self, signal: Signal, now: float) -> None:
        """Take keys, the end of the beep, and time."""
        match signal:
            case PromptEnded() | PromptFailed() if self._began is None and not self._connecting:
                self.deadline = now + REST
            case KeyDown(key=key):
                self._held = key
            case KeyUp() if self._held is not None and self.is_open:
                key, self._held = self._held, None
                self._key(key, now)
        if self.done is not None or self.deadline is None or now < self.deadline:
            return
        if self._began is None:
            self.deadline = None
            self._connect()
        else:
            self.effects.append(StreamEnded())
            self._end("limit", now)

    def leave(self, now: float) -> None:
        """Close it. Its hook is told although the caller has gone: the feature server does that."""
        if self.is_open:
            self.effects.append(StreamEnded())
            self._end("left", now)

    def _key(self, key: str, now: float) -> None:
        if self.verb.pass_dtmf:
            frame = {"event": "dtmf", "dtmf": key, "duration": KEY_DURATION}
            self.effects.append(StreamText(json.dumps(frame, separators=(",", ":"))))
        if key == self.verb.finish_on_key:  # one key: the feature server compares, and does not look into a set
            self.effects.append(StreamEnded())
            self._end("terminator", now, {"digits": key})

    def _end(self, result: Result, now: float, results: dict[str, Any] | None = None, why: str = "") -> None:
        results = results or {}
        seconds = 0.0
        if self._began is not None:
            seconds = now - self._began
            results["dial_call_duration"] = int(seconds)
            self.effects.append(RecordingEnded(self.op, seconds))
        ok = self._began is not None
        self.finish(result, self.verb.action_hook, results, ok=ok, seconds=seconds, why=why)
