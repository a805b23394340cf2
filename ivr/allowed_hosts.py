"""The hosts that an operator allows, as they are written in settings: `api.example.com,*.example.com:8443`."""

import re

from msgspec import Struct

_PATTERN = re.compile(r"(\*\.)?([a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?", re.ASCII)


class HostPattern(Struct, frozen=True):
    """One entry of the operator's list."""

    host: str
    "In lower case; of IPv6, in brackets."
    inner: bool
    "All names below the host, and not the host itself."
    port: int | None
    "None: that of the scheme."

    def fits(self, host: str, port: int, scheme: str) -> bool:
        """Return whether a host and port are of this entry."""
        if port != (self.port or (443 if scheme == "https" else 80)):
            return False
        return host.endswith(f".{self.host}") if self.inner else host == self.host


def read_pattern(text: str) -> HostPattern:
    """Read an entry of the list; raise ValueError."""
    found = _PATTERN.fullmatch(text.strip().lower())
    if found is None or (found[3] and not 1 <= int(found[3]) <= 65535):
        raise ValueError("must be hosts such as api.example.com, *.example.com or api.example.com:8443")
    return HostPattern(found[2], bool(found[1]), int(found[3]) if found[3] else None)
