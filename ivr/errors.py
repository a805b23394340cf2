"""The errors that cross a module's border.

An error's class says whose fault it is; its text says where, what was found, and what was meant. Nothing here carries
a token, keyed digits or what a caller said, since error texts end up in logs.
"""

from collections.abc import Mapping, Sequence


class IvrError(Exception):
    """The root of every error that this package raises on purpose."""


class WebhookError(IvrError):
    """A request that cannot be taken, with the answer that its sender gets.

    `status` is the HTTP status (RFC 9110), `code` a short word for programs, the message a sentence for people.
    """

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


class StaleCall(IvrError):
    """Another turn of the same call was committed first; load the call again and look again."""


class OrderRefused(IvrError):
    """A call cannot be placed so; the text says why, in our words and without a value of the order."""


class StoreUnavailable(IvrError):
    """The store cannot take this now (a full disk, a full queue); nothing of it was saved."""


class FolderInUse(IvrError):
    """Another server owns the data folder."""


class DataUnusable(IvrError):
    """The data folder, or something in it, cannot be used as it is; the text says what to do about it."""


class UnreadableRow(DataUnusable):
    """What is stored of one thing cannot be read; the text says which part, and nothing of what stands there."""


class BrokenSeal(DataUnusable):
    """A sealed value that does not open: it is damaged, or the key is another one."""


class DamagedCall(DataUnusable):
    """A call that is set aside, since what is stored of it cannot be read; nothing of it is changed."""


class StateChanged(IvrError):
    """A record of a bot has another tag than the one that a write expects; nothing was written."""


class TooManyStates(IvrError):
    """A bot has as many records as it may have; nothing was written."""


class FlowError(IvrError):
    """A flow that must not be served; `str()` gives the findings as text.

    `findings` are the same for programs: `code`, `line`, `column`, `message` of each; empty where no file is to blame.
    """

    def __init__(self, message: str, findings: Sequence[Mapping[str, str | int]] = ()) -> None:
        super().__init__(message)
        self.findings = findings


class ExpressionFailed(IvrError):
    """An expression of a flow without a value, in spite of all checks: `error.expression` in the language (C8)."""

    def __init__(self, message: str, *, line: int = 0) -> None:
        super().__init__(message)
        self.line = line
        "Where in the flow's file the expression stands, counted from 1; 0: not known."


class MaskedRead(ExpressionFailed):
    """A replayed trace keeps only the mask of a sensitive value, and an expression needs the value itself."""


class SynthesisFailed(IvrError):
    """A voice cannot speak a text; the text of the error says why."""


class VoiceUnavailable(SynthesisFailed):
    """A speech service speaks no text now: it is away, too slow, or refuses the key."""


class TranscriptionFailed(IvrError):
    """A speech engine's "no".

    `code` is one word: `timeout`, `failed`, or `recording` where the audio itself cannot be read.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
