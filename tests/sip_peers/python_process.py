"""Callers by baresip-python: what they are told, and how it went; the calls are in `python_callers`, a process."""

import sys
from collections.abc import Sequence
from typing import Literal

import msgspec
from msgspec import Struct

from tests.sip_peers.lines import FLOWS
from tests.sip_peers.programs import PATIENCE, finished


class PythonCaller(Struct, frozen=True):
    """One of them."""

    user: str
    uri: str
    transport: Literal["udp", "tcp", "tls"] = "udp"
    codec: str = "pcmu"
    encrypted: bool = False
    "SRTP, and no call without it."
    holds: bool = False
    goes: Literal["all", "half", "nowhere"] = "all"
    "How far through the menu; the first half is made by key alone, `nowhere` hangs up when the call is answered."
    password: str = ""
    after: float = 0.0
    "Seconds from the start at which this one calls: people do not call all at the same instant."


class Order(Struct, frozen=True):
    """What the process is to do."""

    callers: tuple[PythonCaller, ...]
    authority: str = ""
    "The file of who is believed over TLS."


class Walked(Struct, frozen=True):
    """How it went for one caller."""

    user: str
    like: dict[str, float] = {}
    "How like each prompt was."
    failed: str = ""


async def by_python(order: Order) -> Sequence[Walked]:
    """Let callers call; return how it went for each of them."""
    command = (sys.executable, "-m", "tests.sip_peers.python_callers", msgspec.json.encode(order).decode())
    status, output = await finished(*command, folder=FLOWS.parent, patience=3 * PATIENCE)
    walked = [msgspec.json.decode(text, type=Walked) for text in output.splitlines() if text.startswith("{")]
    missing = {caller.user for caller in order.callers} - {one.user for one in walked}
    return [*walked, *(Walked(user, failed=f"the process ended with {status}: {output[-2000:]}") for user in missing)]
