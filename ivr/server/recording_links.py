"""Addresses under which one recording can be fetched for a while, and nothing else.

An address holds the recording's name, what it is for and until when it is good, and an HMAC of that under a key of this
server: it cannot be guessed, made or changed. Whoever has it may listen: it is no login. Nothing is kept of it; with
another sealing key, no earlier address is good any more.
"""

import hmac
import math
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

from msgspec import Struct

PATH: Final = "/recordings/"
LinkUse: TypeAlias = Literal["prompt", "line", "listen"]
"""`prompt`: a platform of Skype's protocol fetches it, and plays it to its caller. `line`: another line does, and wants
WAV. `listen`: a person has the address from a notification."""
GOOD_FOR: Final[Mapping[LinkUse, float]] = {"prompt": 3600.0, "line": 3600.0, "listen": 7 * 86400.0}
"Seconds, at least."
_ROUND = 3600
"""An address is good until a full hour: a prompt that is repeated has the same one, and platforms keep what they have
fetched."""
_SHORT: Final[Mapping[LinkUse, str]] = {"prompt": "p", "line": "w", "listen": "l"}
_USES: Final[Mapping[str, LinkUse]] = {short: use for use, short in _SHORT.items()}
WAV: Final = ".wav"
_SIGNED = 16
"Bytes of the HMAC-SHA-256 that are kept (RFC 2104, 5: half of it at least)."
_CONTENT = re.compile(r"([pwl])([0-9a-f]{1,12})-([0-9a-f]{32}\.[a-z0-9]{1,8})")
_LONGEST = 200
"Characters of an address that are looked at."


class RecordingLink(Struct, frozen=True):
    """What an address is good for."""

    media: str
    "The recording's name."
    use: LinkUse


class RecordingLinks:
    """Makes addresses of recordings, and reads them. Pure."""

    def __init__(self, base: str, key: bytes) -> None:
        """Make addresses below `base`, where this server is reached; `key` is for nothing else."""
        self._base = base.rstrip("/")
        self._key = key

    def address(self, media: str, use: LinkUse, *, now: float) -> str:
        """Return an address that is good for as long as its use needs; `now` is in seconds since 1970."""
        until = math.ceil((now + GOOD_FOR[use]) / _ROUND) * _ROUND
        content = f"{_SHORT[use]}{until:x}-{media}".encode()
        return f"{self._base}{PATH}{urlsafe_b64encode(content + self._signature(content)).rstrip(b'=').decode()}"

    def for_line(self, media: str, now: float) -> str:
        """Return the address from which a line fetches a recording as WAV; many tell a file by the end of its name."""
        return self.address(media, "line", now=now) + WAV

    def for_prompt(self, media: str, now: float) -> str:
        """Return the address from which a line fetches a recording."""
        return self.address(media, "prompt", now=now)

    def read(self, token: str, *, now: float) -> RecordingLink | None:
        """Return what an address is good for; None: for nothing, whatever the reason is."""
        token = token.removesuffix(WAV)
        if len(token) > _LONGEST:
            return None
        try:
            whole = urlsafe_b64decode(token + "=" * (-len(token) % 4))
        except ValueError:
            return None
        content, signature = whole[:-_SIGNED], whole[-_SIGNED:]
        if not hmac.compare_digest(signature, self._signature(content)):
            return None
        found = _CONTENT.fullmatch(content.decode("ascii"))  # it is ours, since its signature is good
        if found is None or int(found[2], 16) < now:
            return None
        return RecordingLink(found[3], _USES[found[1]])

    def _signature(self, content: bytes) -> bytes:
        return hmac.digest(self._key, content, "sha256")[:_SIGNED]
