"""Everything a flow is made of, in one piece: what its hash is taken over, and what a restart rebuilds it from."""

from collections.abc import Mapping
from functools import cached_property
from hashlib import sha256

import msgspec

from ivr.errors import FlowError

FORMAT = 1


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
    format: int = FORMAT

    @cached_property
    def hash(self) -> str:
        """SHA-256 over everything that makes a difference to a call: not over the file's name."""
        parts = (self.text, self.zone, self.zone_data, sorted(self.audio.items()), self.format)
        return sha256(msgspec.msgpack.encode(parts)).hexdigest()

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
        if bundle.format != FORMAT:
            raise FlowError(f"a stored flow has format {bundle.format}, not {FORMAT}")
        if bundle.hash != flow_hash:
            raise FlowError("what is stored of the flow is damaged")
        return bundle
