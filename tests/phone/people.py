"""People on the phone, for tests: they do what they are told, and remember what happened."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from ivr.media.recorder import Recorder
from ivr.media.sound import SilentRenderer, Sound
from ivr.phone.callers.turn_based import CallerAction, Fail, Hold, Leave, Press, Situation, Speak, TurnBased, Wait
from ivr.phone.net.limits import PhoneLimits
from ivr.phone.phone_events import Done, Ended, PhoneEvent, PromptBegan
from ivr.phone.platform import Target, platform, sound_of
from tests.phone.fake_bot import FakeBot

QUIET = Sound(SilentRenderer(), Recorder(encodes=False))
QUICK = PhoneLimits(retry_after=0.0)


def any_caller_action(random: Random) -> CallerAction | None:
    """Anything that a caller can do, whether or not it makes sense."""
    anything: list[CallerAction | None] = [
        None,
        Press("".join(random.choices("0123456789*#ABCD", k=random.randint(1, 8)))),
        Hold(random.choice("19#")),
        Speak(random.choice(["sales", "weather", "", "word " * 60])),
        Wait(random.uniform(0, 20)),
        Fail(random.choice(["system", "unknown"])),
        Leave() if random.random() < 0.2 else None,
    ]
    return random.choice(anything)


@dataclass
class Person:
    """Does one thing for each question, or several; None is silence. With nothing left to do, hangs up."""

    caller_actions: list[CallerAction | tuple[CallerAction, ...] | None]
    events: list[PhoneEvent] = field(default_factory=list)
    _waits: bool = False
    _rest: list[CallerAction | None] = field(default_factory=list)
    "What is still to be done about the question."

    def tell(self, event: PhoneEvent) -> None:
        self.events.append(event)
        if isinstance(event, Done):
            self._waits, self._rest = False, []

    async def act(self, situation: Situation) -> CallerAction | None:
        if situation.prompt or situation.listening is None:
            return None
        if not self._waits:
            self._waits = True
            due = self.caller_actions.pop(0) if self.caller_actions else Leave()
            self._rest = list(due) if isinstance(due, tuple) else [due]
        return self._rest.pop(0) if self._rest else None

    @property
    def heard(self) -> list[str]:
        return [event.text for event in self.events if isinstance(event, PromptBegan)]


async def call(
    bot: FakeBot,
    *caller_actions: CallerAction | None,
    limits: PhoneLimits = QUICK,
    aloud: bool = False,
    allowed: tuple[str, ...] = (),
) -> tuple[Ended, Person]:
    """Let somebody call a bot; give how it ended. `aloud`: with all the sound that is installed."""
    person = Person(list(caller_actions))
    async with platform(Target(bot.call, "the-app", allowed, limits)) as phone:
        return await phone.place(TurnBased(person, sound_of(phone) if aloud else QUIET)), person
