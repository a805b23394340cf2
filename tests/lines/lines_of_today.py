"""Every line on which the shipped flows are tried, by name, and one caller on two of them."""

from pathlib import Path
from typing import Final, Protocol

from msgspec.structs import replace

from ivr.capabilities import Capabilities
from ivr.carriers.twiml.twiml_profile import PROFILES as PLAYED
from ivr.channels.twiml import PROFILES
from ivr.engine.flow import Flow
from ivr.trace.case import Case
from tests.lines.bot_in_memory import BotInMemory
from tests.lines.comparing import Compared, compared
from tests.lines.jambonz_line import JambonzLine
from tests.lines.native_lines import NativeLine
from tests.lines.twiml_lines import TwimlLine
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
CARRIERS = [name for name in PROFILES if name in PLAYED]
"The carriers of TwiML that we can play."
OTHERS: tuple[Line, ...] = (NativeLine("skype", more=False), *map(TwimlLine, CARRIERS), JambonzLine())


async def on_both(flow: Flow, line: Line, visit: Visit) -> Compared:
    """Let the same caller call on the usual line and on another one."""
    usual = (await USUAL.call(flow, visit)).case()
    return await on_other(usual, flow, line, visit)


async def on_other(usual: Case, flow: Flow, line: Line, visit: Visit) -> Compared:
    """Let the caller of a call on the usual line call on another one."""
    bot = await line.call(flow, visit)
    if bot.findings:
        return Compared(fault=f"the other side: {'; '.join(bot.findings)}")
    return compared(usual, bot.case(), replace(USUAL.can, transfer=visit.transfers), line.can)
