"""What a line tells of itself: for people to look at, and for nothing that a call does (docs/protocol.md, 22).

The same names stand on the wire, in the trace and in the phone, so there is one struct for all three.
"""

from msgspec import Struct
from msgspec.structs import asdict, replace


class LineFacts(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What is known of the line of a call, or what is new about it; None: not told."""

    kind: str | None = None
    "What carries the call: `sip`."
    trunk: str | None = None
    "The address of the other side, `host:port`: a trunk, a telephone system, a phone."
    transport: str | None = None
    "Of the signalling: `udp`, `tcp`, `tls`."
    codec: str | None = None
    "Of the sound: `PCMA`, `PCMU`, `G722`, `opus`."
    encrypted: bool | None = None
    "Whether the sound is (SRTP)."
    called: str | None = None
    "The number that was dialled."
    diverted: str | None = None
    "Who was called first, if that was somebody else."
    withheld: bool | None = None
    "Whether the caller wants to stay unknown; then `call.from` is none."
    transfer: bool | None = None
    "Whether the line can connect the caller with somebody else (23)."
    questions: bool | None = None
    "Whether the line knows more of questions than the vendor's (25)."
    packets: int | None = None
    "Packets of sound that came from the caller; told at the end, as all that follows."
    loss: float | None = None
    "Packets that did not come, in percent."
    jitter: float | None = None
    "How unevenly they came, in milliseconds."
    ended: str | None = None
    "Why the line says that the call ended, for people: `the caller hung up`, `no audio for 30 s`."
    status: int | None = None
    "What the other side of a call that we placed answered instead of taking it, as a SIP status (26)."

    def updated(self, news: "LineFacts") -> "LineFacts":
        """Return these facts, with those that the news tells in their place."""
        return replace(self, **_told(news))

    def since(self, told: "LineFacts") -> "LineFacts":
        """Return those of these facts that `told` does not have, or has otherwise."""
        mine, known = asdict(self), asdict(told)
        return replace(self, **{name: None for name, value in mine.items() if value == known[name]})


def _told(facts: LineFacts) -> dict[str, object]:
    return {name: value for name, value in asdict(facts).items() if value is not None}
