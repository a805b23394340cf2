"""Everything a flow is made of, in one piece: what its hash is taken over, and what a restart rebuilds it from."""

from collections.abc import Mapping
from functools import cached_property
from hashlib import sha256

import msgspec

from ivr.errors import FlowError

FORMATS = (1, 2)
"2: with more than one file, holidays, or zones of calendars. What needs none of it keeps its format, and so its hash."


_IN_ORDER = msgspec.msgpack.Encoder(order="deterministic")


class Bundle(msgspec.Struct, frozen=True, dict=True):
    """A flow file with all that it needs; the same bytes make the same flow, on any machine and at any time."""

    file: str
    "How the file was called, for messages."
    text: bytes
    "The flow file as it was."
    audio: Mapping[str, bytes]
    "Audio files, by the name that the flow gives them."
    zone: str
    "The flow's time zone, or the server's default if it names none."
    zone_data: bytes
    "Its rules, TZif."
    format: int = 1
    included: Mapping[str, bytes] = {}
    "The files that it includes, as they were, by the name that the flow gives them."
    invoked: "Mapping[str, Bundle]" = {}
    "All flows that it invokes, and that those invoke, by their names; only the flow that is called has them."
    holidays: Mapping[str, Mapping[str, Mapping[str, str]]] = {}
    "By calendar: by day (ISO 8601) and language, the name of each holiday."
    zones: Mapping[str, bytes] = {}
    "The rules of the time zones that its calendars name, TZif."

    @cached_property
    def hash(self) -> str:
        """SHA-256 over everything that makes a difference to a call: not over the file's name."""
        parts: tuple[object, ...] = (self.text, self.zone, self.zone_data, sorted(self.audio.items()), self.format)
        if self.format > 1:
            invoked = sorted((name, bundle.hash) for name, bundle in self.invoked.items())
            parts += (sorted(self.included.items()), invoked, self.holidays, sorted(self.zones.items()))
        return sha256(_IN_ORDER.encode(parts)).hexdigest()

    def encode(self) -> bytes:
        """Return the bytes that a store keeps."""
        return msgspec.msgpack.encode(self)

    @classmethod
    def decode(cls, data: bytes, flow_hash: str) -> "Bundle":
        """Read what `encode` returned for the flow with this hash; raise FlowError if it is something else."""
        try:
            bundle = msgspec.msgpack.decode(data, type=cls)
        except msgspec.DecodeError as error:
            raise FlowError("a stored flow cannot be read") from error
        if bundle.format not in FORMATS:
            raise FlowError(f"a stored flow has format {bundle.format}, not {' or '.join(map(str, FORMATS))}")
        if bundle.hash != flow_hash:
            raise FlowError("what is stored of the flow is damaged")
        return bundle
