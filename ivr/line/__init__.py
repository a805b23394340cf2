"""Runs one list of actions against tones, the caller's voice and time: what a line does between two replies of a flow.

Plain functions, and time comes in as an argument: `begin` a list, `apply` each signal, play the effects, look again at
the `deadline`. Nothing here knows which platform, sound card or network carries the call.
"""

from ivr.line.run import apply, begin
from ivr.line.signals import (
    Connected,
    Effect,
    Finished,
    KeyDown,
    KeyUp,
    Left,
    Listening,
    Outcome,
    PromptEnded,
    PromptFailed,
    PromptStarted,
    PromptStopped,
    RecordingEnded,
    RecordingStarted,
    Result,
    Said,
    Signal,
    Tick,
    Trouble,
    VoiceSignal,
)
from ivr.line.state import Line, Moment

__all__ = [
    "Connected",
    "Effect",
    "Finished",
    "KeyDown",
    "KeyUp",
    "Left",
    "Line",
    "Listening",
    "Moment",
    "Outcome",
    "PromptEnded",
    "PromptFailed",
    "PromptStarted",
    "PromptStopped",
    "RecordingEnded",
    "RecordingStarted",
    "Result",
    "Said",
    "Signal",
    "Tick",
    "Trouble",
    "VoiceSignal",
    "apply",
    "begin",
]
