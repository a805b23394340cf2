"""People on the phone, for tests: they do what they are told, and remember what happened."""

from __future__ import annotations

from dataclasses import dataclass, field

from ivr.phone.events import Done, Ended, PhoneEvent, PromptBegan
from ivr.phone.kit import sound_of
from ivr.phone.limits import Limits
from ivr.phone.platform import Target, platform
from ivr.phone.recorder import Recorder
from ivr.phone.sound import Mute, Sound
from ivr.phone.turn_based import Deed, HangUp, Situation, TurnBased
from tests.phone.fake_bot import FakeBot

QUIET = Sound(Mute(), Recorder(encodes=False))
QUICK = Limits(retry_after=0.0)


@dataclass
class Person:
    """Does one thing for each question; None is silence. With nothing left to do, hangs up."""

    deeds: list[Deed | None]
    events: list[PhoneEvent] = field(default_factory=list)
    _waits: bool = False

    def tell(self, event: PhoneEvent) -> None:
        self.events.append(event)
        if isinstance(event, Done):
            self._waits = False

    async def act(self, situation: Situation) -> Deed | None:
        if situation.prompt or situation.listening is None or self._waits:
            return None
        self._waits = True
        return self.deeds.pop(0) if self.deeds else HangUp()

    @property
    def heard(self) -> list[str]:
        return [event.text for event in self.events if isinstance(event, PromptBegan)]


async def call(
    bot: FakeBot, *deeds: Deed | None, limits: Limits = QUICK, aloud: bool = False, allowed: tuple[str, ...] = ()
) -> tuple[Ended, Person]:
    """Let somebody call a bot; give how it ended. `aloud`: with all the sound that is installed."""
    person = Person(list(deeds))
    async with platform(Target(bot.call, "the-app", allowed, limits)) as phone:
        return await phone.place(TurnBased(person, sound_of(phone) if aloud else QUIET)), person
