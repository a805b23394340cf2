"""A message is heard once: the first one tells both which flow is called and what happened."""

from ivr.engine.events import CallReceived, KeysPressed
from ivr.ports import Exchange, Incoming, Leg
from tests.flows import flow_of
from tests.turn.house import Houses
from tests.turn.simulator import Line

ASKS = flow_of("""
flow: asks
initial: ask
on: {exhausted: bye, error: bye}
states:
  ask: {digits: {prompt: press}, next: bye}
  bye: {say: goodbye, final: true}
""")


class Listening(Line):
    """A line that notes what it is asked to hear."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def hear(self, leg: Leg, incoming: Incoming, *, now: float) -> Exchange:
        self.heard.append(incoming.id)
        return super().hear(leg, incoming, now=now)


async def test_each_message_is_heard_once_the_first_of_a_call_and_a_repeat_included(house_of: Houses) -> None:
    line = Listening()
    house = house_of(ASKS, line)
    await house.told("first", CallReceived("29:anna", "28:bot"))
    await house.told("first", CallReceived("29:anna", "28:bot"))
    await house.told("keys", KeysPressed(await house.op(), "1"))
    assert len(line.heard) == 2
    assert len(set(line.heard)) == 2
