"""What happens on a call of the telephone, for whoever looks on."""

from typing import TypeAlias

from msgspec import Struct

from ivr.rtp.statistics import StreamStatistics
from ivr.sip.media_plan import CodecName
from ivr.sip.outputs import Transport


class Dialling(Struct, frozen=True):
    """The call begins."""

    uri: str
    transport: Transport


class Rings(Struct, frozen=True):
    """A provisional answer came."""

    status: int


class Answered(Struct, frozen=True):
    """The call was answered."""

    codec: CodecName
    encrypted: bool
    seconds: float
    "From dialling on."


class NotReached(Struct, frozen=True):
    """The call came to nothing."""

    status: int
    "The final answer's; 0: the call was not made, and the reason is ours."
    reason: str
    "Hostile text, if there was an answer."


class SoundBegan(Struct, frozen=True):
    """Something is heard."""


class SoundOver(Struct, frozen=True):
    """It is quiet again."""

    seconds: float
    "How long something was heard."


class Held(Struct, frozen=True):
    """The other side holds the call, or goes on with it."""

    held: bool


class Over(Struct, frozen=True):
    """The call is over."""

    by: str
    "`remote`, `local`, `timeout` or `error`."
    cause: str
    reason: str
    "The other side's Reason; hostile text."
    seconds: float
    "From the answer on."
    statistics: StreamStatistics


CallNews: TypeAlias = Dialling | Rings | Answered | NotReached | SoundBegan | SoundOver | Held | Over
