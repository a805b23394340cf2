"""A caller who follows from a number: mostly does what is asked, at times something else, early, or nothing.

What is done about the n-th question depends on the seed, on n and on what the flow asks there, and on nothing that a
line makes of it. So the same caller behaves alike on every line, as long as each leads to the same questions.
"""

from collections.abc import Callable, Mapping
from random import Random

from msgspec import Struct

from ivr.engine.commands import FreeSpeech, Recognize, Record, Transfer
from ivr.phone.callers.turn_based import CallerAction, Connect, Leave, Press, Situation, Speak
from ivr.phone.handset import ANSWERS
from ivr.phone.phone_events import PhoneEvent

CALLER, CALLED = "+4312345678", "+4317000"
PATIENCE = 25
"Questions that a caller answers before hanging up."
SAID: Mapping[FreeSpeech, tuple[str, ...]] = {
    "number": ("one", "four two", "twelve", "a few"),
    "date": ("tomorrow", "the third of December", "some day"),
    "yesno": ("yes", "no", "maybe"),
}
NONSENSE = "colourless green ideas"
"Words that no flow of ours listens for."
MESSAGE = "my flight was late and nobody told me"


def language_of(seed: int) -> str | None:
    """Return the language in which somebody calls, as far as the line can tell it."""
    return (None, None, None, "en-US", "de-DE")[seed // 3 % 5]


class Question(Struct, frozen=True):
    """What a flow asks."""

    op: str
    "The operation: another one is another question."
    command: Recognize | Record | Transfer


class Answering(Struct, frozen=True):
    """What a caller does about a question."""

    acts: tuple[CallerAction, ...] = ()
    "One after the other; then nothing, whatever the line does."
    when: str = "asked"
    "`asked`: after the prompt; `interrupting`: as soon as it can be answered; `early`: whatever is heard."


class GeneratedCaller:
    """`ivr.phone.callers.turn_based.Person`."""

    def __init__(self, seed: int, question: Callable[[], Question | None]) -> None:
        """`question` returns what the flow asks now; None: nothing yet."""
        self._seed = seed
        self._question = question
        self._op: str | None = None
        self._count = 0
        self._answering = Answering()
        self._done = 0

    def tell(self, event: PhoneEvent) -> None:
        """Notice nothing: what counts is asked."""

    async def act(self, situation: Situation) -> CallerAction | None:
        """Do the next thing about the question, when it is time."""
        asked = self._question()
        if asked is None:
            return None
        if asked.op != self._op:
            self._op, self._done = asked.op, 0
            self._count += 1
            self._answering = self._decided(asked.command)
        if self._done == len(self._answering.acts) or not self._is_time(situation):
            return None
        self._done += 1
        return self._answering.acts[self._done - 1]

    def _is_time(self, situation: Situation) -> bool:
        if self._answering.when == "early":
            return True
        if situation.listening is None and situation.transfer is None:
            return False
        return not situation.prompt or self._answering.when == "interrupting"

    def _decided(self, command: Recognize | Record | Transfer) -> Answering:
        random = Random(f"{self._seed}/{self._count}")
        if self._count > PATIENCE:
            return Answering((Leave(),))
        match command:
            case Transfer():
                return _about_transfer(random)
            case Record():
                return _about_recording(command, random)
        return _about_question(command, random)


def _about_transfer(random: Random) -> Answering:
    if random.random() < 0.1:
        return Answering((Leave(),))
    return Answering((Connect(random.choice((*ANSWERS.values(), ANSWERS["connected"]))),))


def _about_recording(command: Record, random: Random) -> Answering:
    chance = random.random()
    if chance < 0.1:
        return Answering()
    if chance < 0.2:
        return Answering((Leave(),), random.choice(("asked", "early")))
    if chance < 0.35:
        return Answering((Speak(MESSAGE), Leave()))
    if chance < 0.65 and command.terminators:
        return Answering((Speak(MESSAGE), Press(random.choice(command.terminators))))
    return Answering((Speak(MESSAGE),))


def _about_question(command: Recognize, random: Random) -> Answering:
    chance = random.random()
    if chance < 0.08:
        return Answering()
    if chance < 0.13:
        return Answering((Leave(),), random.choice(("asked", "early", "interrupting")))
    when = random.choices(("asked", "interrupting", "early"), (60, 30, 10))[0]
    return Answering((_answer(command, random),), when)


def _answer(command: Recognize, random: Random) -> CallerAction:
    if command.digits is not None:
        if command.free is not None and random.random() < 0.4:
            return Speak(random.choice(SAID[command.free]))
        return Press(_digits(command, random))
    chance = random.random()
    if chance < 0.1:
        return Press(random.choice("0123456789*#"))
    choice = random.choice(command.choices)
    if choice.speech and chance < 0.15:
        return Speak(NONSENSE)
    if choice.key is None or (choice.speech and chance < 0.4):
        return Speak(random.choice(choice.speech))
    ended = command.terminators[:1] if random.random() < 0.3 else ""
    return Press(choice.key + ended)


def _digits(command: Recognize, random: Random) -> str:
    digits = command.digits
    assert digits is not None
    chance = random.random()
    if chance < 0.08 and digits.terminators:
        return random.choice(digits.terminators)
    least, most = digits.minimum, min(digits.maximum, digits.minimum + 6)
    if chance < 0.16:
        least, most = 1, max(1, digits.minimum - 1)
    keys = "".join(random.choices("0123456789", k=random.randint(max(1, least), max(1, most))))
    if chance < 0.24:
        keys = keys[:-1] + "*"
    return keys + (random.choice(digits.terminators) if digits.terminators and random.random() < 0.7 else "")
