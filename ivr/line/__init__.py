"""Runs one list of actions against tones, the caller's voice and time: what a line does between two replies of a flow.

Plain functions, and time comes in as an argument: `begin` a list, `feel` each signal, obey the effects, look again when
`deadline` is reached. Nothing here knows which platform, sound card or network carries the call.
"""

from ivr.line.run import begin, feel
from ivr.line.signals import (
    Connected,
    Effect,
    Finished,
    Fruit,
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
    "Fruit",
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
    "Said",
    "Signal",
    "Tick",
    "Trouble",
    "VoiceSignal",
    "begin",
    "feel",
]
