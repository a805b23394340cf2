"""A person in real time on a carrier's line: the session of the phone, its clock turned by hand."""

from ivr.carriers.twiml.call_plan import TwimlCallPlan
from ivr.carriers.twiml.twiml_carrier import SIMULATED, TwimlCarrier
from ivr.carriers.twiml.twiml_document import Target
from ivr.phone.handset import Handset
from ivr.phone.phone_events import Ended, PhoneEvent, PromptBegan, PromptOver, RecordingOver
from ivr.phone.placed_call import Caller
from ivr.phone.session import Session
from ivr.phone.wire.line_news import LookAtLine
from tests.carriers.twiml.tiny_bot import BOT, TinyBot, account
from tests.phone.clockwork import ManualClock


class Line:
    """Places calls at a bot in this process (`ivr.phone.platform.PlacesCalls`)."""

    def __init__(self, bot: TinyBot) -> None:
        self._carrier = TwimlCarrier(bot, account())

    async def place(
        self, handset: Handset, *, who: Caller | None = None, bot: str | None = None, line: LookAtLine | None = None
    ) -> Ended:
        plan = TwimlCallPlan(Target(f"{BOT}/call"), status=Target(f"{BOT}/status"))
        return (await self._carrier.place(handset, plan)).ended


class OnTheLine:
    """A live call, and what was noticed of it."""

    def __init__(self, bot: TinyBot) -> None:
        self.clock = ManualClock()
        self.session = Session(Line(bot), SIMULATED, clock=self.clock)
        self.session.dial()

    async def over(self) -> list[PhoneEvent]:
        return [event async for event in self.session.events()]


async def test_a_key_interrupts_and_a_recording_is_ended_by_a_key() -> None:
    bot = TinyBot()
    call = OnTheLine(bot)
    await call.clock.turn(1.0)
    call.session.press("1")
    await call.clock.turn(3.0)
    call.session.say("hello")
    await call.clock.turn(2.0)
    call.session.press("#")
    await call.clock.turn(10.0)
    events = await call.over()
    assert PromptOver("1", interrupted=True) in events
    assert [event.text for event in events if isinstance(event, PromptBegan)][1] == "Leave a message."
    assert any(isinstance(event, RecordingOver) for event in events)
    assert bot.forms("/recorded")[0]["Digits"] == "#"
    assert events[-1] == Ended("bot", "hangup")


async def test_silence_takes_its_time() -> None:
    bot = TinyBot()
    call = OnTheLine(bot)
    await call.clock.turn(6.0)  # 2.4 s of question, 4 s of patience
    assert bot.paths == ["/call"]
    await call.clock.turn(3.0)
    assert bot.paths == ["/call", "/call"]
    call.session.hang_up()
    await call.clock.turn(1.0)
    events = await call.over()
    assert events[-1] == Ended("caller", "left")
    assert bot.paths[-1] == "/status"


async def test_who_closes_the_phone_has_hung_up() -> None:
    bot = TinyBot()
    call = OnTheLine(bot)
    await call.clock.turn(1.0)
    await call.session.close()
    assert bot.forms("/status")[0]["CallStatus"] == "completed"
