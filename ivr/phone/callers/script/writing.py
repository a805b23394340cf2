"""Writes down a call as a script that makes it again: what was heard is expected, what was done is done.

How long the caller took is not kept, and what was said into a microphone is known by its words alone: what was recorded
from one stands in the script as a place to fill in.
"""

import json
import re
from collections.abc import Iterable

from ivr.phone.handset import ANSWERS
from ivr.phone.phone_events import (
    Done,
    Ended,
    KeyHeard,
    PhoneEvent,
    PromptBegan,
    PromptOver,
    RecordingBegan,
    RecordingOver,
    VoiceHeard,
    WordsHeard,
)

SPOKEN = "what the caller said"
"Stands for a recording whose words are not known."

WAITED = frozenset({"silence", "pause", "spoken", "limit"})
"What ends because nothing more came: else the next caller action would be about the same question."

_ANSWERED = {status: word for word, status in ANSWERS.items()}
_FILE = re.compile(r"\(audio [^)]*\)")
"As `ivr.trace.sentences.spoken` tells of one; its address may be another one next time."
_UNPRINTABLE = re.compile(r"[\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff]")


def as_script(
    events: Iterable[PhoneEvent],
    *,
    name: str,
    bot: str,
    caller: str | None = None,
    at: str | None = None,
    language: str | None = None,
) -> str:
    """Return the text of a `.call.yaml` file.

    `bot` is the address that was called, `at` the time that it was to be, `language` the caller's if it is not usual.
    """
    writer = _ScriptWriter()
    for event in events:
        writer.take(event)
    head = {"script": name, "bot": bot, "from": caller, "language": language, "at": at}
    lines = [f"{key}: {_quoted(value)}" for key, value in head.items() if value]
    return "\n".join([*lines, "steps:", *(f"  - {step}" for step in writer.steps), ""])


class _ScriptWriter:
    """Turns events into steps."""

    def __init__(self) -> None:
        self.steps: list[str] = []
        self._heard: list[str] = []
        "Since the last caller action."
        self._keys = ""
        self._during = False
        "The first of these keys came into a prompt."
        self._prompt = False
        self._recording = False
        self._voice = False
        "Something was said into the recording of which the words are not known."

    def take(self, event: PhoneEvent) -> None:
        """Take the next thing that happened."""
        match event:
            case PromptBegan(text=text):
                self._write_keys()
                self._heard.append(text)
                self._prompt = True
            case PromptOver():
                self._prompt = False
            case KeyHeard(key=key):
                self._write_voice()
                self._during = self._during if self._keys else self._prompt
                self._keys += key
            case WordsHeard(words=str(words)) if words.strip():
                self._voice = False
                self._do(f"say: {_quoted(words)}", during=self._prompt)
            case RecordingBegan():
                self._recording, self._voice = True, False
            case VoiceHeard(active=True) if self._recording:
                self._voice = True
            case RecordingOver():
                self._recording = False
            case Done():
                self._write_voice()
                self._conclude(event)
            case Ended(reason=reason):
                self._do(f"expect: {{ends: {reason}}}")

    def _conclude(self, done: Done) -> None:
        self._write_keys()
        if done.result in WAITED:
            self._do("silence")
        elif done.result == "left":
            self._do("hangup", during=self._prompt)
        elif done.status and (word := _ANSWERED.get(done.status)):
            self._do(f"transfer: {word}")
        elif done.result in ("system", "unknown") and not done.why:
            self._do("fail" if done.result == "system" else "fail: unknown", during=self._prompt)
        self._prompt = False

    def _do(self, step: str, *, during: bool = False) -> None:
        self._write_keys()
        self._expect()
        if during and ":" not in step:
            step += ': ""'  # beside another key a bare word needs a value
        if during:
            step += "\n    during: prompt"
        self.steps.append(step)

    def _write_keys(self) -> None:
        if self._keys:
            keys, self._keys = self._keys, ""
            self._do(f"press: {_quoted(keys)}", during=self._during)

    def _write_voice(self) -> None:
        if self._voice:
            self._voice = False
            self._do(f"say: {_quoted(SPOKEN)}")

    def _expect(self) -> None:
        for text in self._heard:
            parts = [part.strip() for part in _FILE.split(text) if part.strip("~ \n\t")]
            if parts == [text.strip()]:
                self.steps.append(f"expect: {_quoted(text)}")
            elif parts:
                self.steps.append(f"expect: {{hears: [{', '.join(_quoted(f'~{part}') for part in parts)}]}}")
        self._heard.clear()


def _quoted(text: str) -> str:
    """Write a text as YAML reads it, whatever is in it (YAML 1.2, 7.3.1: JSON's strings are among its own)."""
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(text, ensure_ascii=False))
