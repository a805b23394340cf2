"""A caller who behaves like callers in general: mostly does what is asked, at times something else, or nothing.

Enough of them find every path through a flow that people find. What such a caller does follows
from the chances it is given: the same seed, the same caller.
"""

import asyncio
from collections.abc import Callable, Mapping
from random import Random

from ivr.engine.commands import FreeSpeech, Recognize, Record
from ivr.phone.callers.turn_based import CallerAction, Connect, Leave, Press, Situation, Speak
from ivr.phone.handset import ANSWERS
from ivr.phone.phone_events import Done, PhoneEvent

PATIENCE = 15
"Questions that a caller answers before hanging up."
WORDS = "my flight was late"
"What is said into a recording."
SAID: Mapping[FreeSpeech, tuple[str, ...]] = {
    "number": ("one", "four two", "twelve", "a few"),
    "date": ("tomorrow", "the third of December", "some day"),
    "yesno": ("yes", "no", "maybe"),
}
"What is said to a question that takes free words; not all of it is an answer."


class RandomCaller:
    """Answers questions once they are asked, and listens to prompts (`ivr.phone.callers.turn_based.Person`)."""

    def __init__(
        self, random: Random, notice: Callable[[PhoneEvent], None] = lambda _: None, *, think: float = 0.0
    ) -> None:
        """`notice` is told of everything that happens; `think`: seconds on average before each thing that is done."""
        self._random = random
        self._notice = notice
        self._think = think
        self._questions = 0
        self._waits = False

    def tell(self, event: PhoneEvent) -> None:
        """Notice what happens."""
        if isinstance(event, Done):
            self._waits = False
        self._notice(event)

    async def act(self, situation: Situation) -> CallerAction | None:
        """Do something about the question, once."""
        if situation.transfer is not None:
            return Connect(self._random.choice((*ANSWERS.values(), ANSWERS["connected"])))
        if situation.prompt or situation.listening is None or self._waits:
            return None
        self._waits = True
        self._questions += 1
        if self._think:
            await asyncio.sleep(self._think * self._random.uniform(0.5, 1.5))
        chance = self._random.random()
        if self._questions > PATIENCE or chance < 0.04:
            return Leave()
        if chance < 0.12:
            return None
        if isinstance(situation.listening, Record):
            return Speak(WORDS)
        return self._answer(situation.listening, chance)

    def _answer(self, asked: Recognize, chance: float) -> CallerAction:
        if asked.free and chance < 0.5:
            return Speak(self._random.choice(SAID[asked.free]))
        if asked.digits and asked.choices and chance < 0.4:  # on lines that take either
            return Speak(self._random.choice(self._random.choice(asked.choices).speech))
        if asked.digits:
            keys = "".join(self._random.choices("0123456789", k=self._random.randint(1, min(asked.digits.maximum, 6))))
            return Press(keys + asked.digits.terminators[:1])
        if not asked.choices:  # any words will do
            return Speak(WORDS)
        choice = self._random.choice(asked.choices)
        if chance < 0.2:
            return Press(self._random.choice("0123456789*#"))
        if choice.key and (chance < 0.8 or not choice.speech):
            return Press(choice.key)
        return Speak(self._random.choice(choice.speech))
