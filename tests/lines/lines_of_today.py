"""Every line on which the shipped flows are tried, by name, and one caller on two of them."""

from pathlib import Path
from typing import Final, Protocol

from ivr.engine.flow import Flow
from ivr.ports import Capabilities
from tests.lines.bot_in_memory import BotInMemory
from tests.lines.comparing import Compared, compared
from tests.lines.native_lines import NativeLine
from tests.lines.visit import Visit

FLOWS = sorted((Path(__file__).parents[2] / "flows").glob("*.yaml"))


class Line(Protocol):
    """A line that carries calls in simulated time."""

    name: str
    can: Capabilities

    async def call(self, flow: Flow, visit: Visit) -> BotInMemory:
        """Carry a call, and return the server's side of it once it is over."""


USUAL: Final[Line] = NativeLine("sip", more=True)
"The line that can do all there is; every other one is compared with it."
OTHERS: tuple[Line, ...] = (NativeLine("skype", more=False),)


async def on_both(flow: Flow, line: Line, visit: Visit) -> Compared:
    """Let the same caller call on the usual line and on another one."""
    usual = (await USUAL.call(flow, visit)).case()
    other = (await line.call(flow, visit)).case()
    return compared(usual, other, USUAL.can, line.can)
