"""The one command of a line that no flow gives yet: connect the caller with somebody else (docs/protocol.md, 23)."""

from typing import TypeAlias

from msgspec import Struct

from ivr.engine.commands import LineCommand


class Transfer(Struct, frozen=True, tag=True):
    """Connect the caller with `target`; where that succeeds, the call is over for whoever ordered it."""

    op: str
    target: str
    "`sip:…`, `sips:…` or `tel:…`."


OrderedCommand: TypeAlias = LineCommand | Transfer
"All that a line carries out."
