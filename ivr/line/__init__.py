"""Runs one list of commands against tones, the caller's voice and time: what a line does between two replies of a flow.

Plain functions, and time comes in as an argument: `begin` a list, `apply` each signal, play the effects, look again at
the `deadline`. Nothing here knows which platform, sound card or network carries the call.
"""

from ivr.line.run import apply, begin
from ivr.line.signals import (
    CallerLeft,
    Connected,
    Effect,
    Finished,
    KeyDown,
    KeyUp,
    Listening,
    Outcome,
    PromptEnded,
    PromptFailed,
    PromptStarted,
    PromptStopped,
    RecordingEnded,
    RecordingStarted,
    Result,
    Signal,
    Tick,
    TransferFailed,
    Transferred,
    TransferStarted,
    Trouble,
    VoiceSignal,
    WordsUnderstood,
)
from ivr.line.state import Line, LineStep

__all__ = [
    "CallerLeft",
    "Connected",
    "Effect",
    "Finished",
    "KeyDown",
    "KeyUp",
    "Line",
    "LineStep",
    "Listening",
    "Outcome",
    "PromptEnded",
    "PromptFailed",
    "PromptStarted",
    "PromptStopped",
    "RecordingEnded",
    "RecordingStarted",
    "Result",
    "Signal",
    "Tick",
    "TransferFailed",
    "TransferStarted",
    "Transferred",
    "Trouble",
    "VoiceSignal",
    "WordsUnderstood",
    "apply",
    "begin",
]
