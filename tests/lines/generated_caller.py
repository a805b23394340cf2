"""A caller who follows from a number: mostly does what is asked, at times something else, early, or nothing.

What is done about a question depends on the seed, on the state that asks, on how often it has, and on what it asks; on
nothing that a line makes of it. So the same caller behaves alike on every line that leads to the same states.
"""

from collections.abc import Mapping
from random import Random
from typing import Literal

from ivr.engine.commands import FreeSpeech, Recognize, Record, Transfer
from ivr.phone.callers.turn_based import CallerAction, Connect, Leave, Press, Speak
from ivr.phone.handset import ANSWERS
from tests.lines.visit import Answering, Question, Visit, services_by_chance

CALLER, CALLED = "+4312345678", "+4317000"
TIMES = (1_795_168_800.0, 1_795_194_000.0, 1_795_269_600.0, 1_795_442_400.0, 1_798_192_800.0)
"When calls come in, in seconds since 1970: on days and at hours at which offices are open, and closed."
LANGUAGES = (None, None, "en-US", "de-DE")
"Those of callers, as far as a line can tell them."
PATIENCE = 60
"Questions that a caller answers before hanging up."
SAID: Mapping[FreeSpeech, tuple[str, ...]] = {
    "number": ("one", "four two", "twelve", "a few"),
    "date": ("tomorrow", "the third of December", "some day"),
    "yesno": ("yes", "no", "maybe"),
}
NONSENSE = "colourless green ideas"
"Words that no flow of ours listens for."
_WHEN: tuple[Literal["asked", "interrupting", "early"], ...] = ("asked", "interrupting", "early")
_BEFORE: tuple[Literal["asked", "early"], ...] = ("asked", "early")
MESSAGE = "my flight was late and nobody told me"


class GeneratedMind:
    """`Mind`: a caller who follows from a number."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def answer(self, asked: Question) -> Answering:
        random = Random(f"{self._seed}/{asked.place}")
        if asked.number > PATIENCE:
            return Answering((Leave(),))
        match asked.command:
            case Transfer():
                return _about_transfer(random)
            case Record() as record:
                return _about_recording(record, random)
            case Recognize() as question:
                return _about_question(question, random)


def generated(seed: int) -> Visit:
    """Return the call of a generated caller."""
    return Visit(
        GeneratedMind(seed),
        services_by_chance(seed),
        began=TIMES[seed % len(TIMES)],
        caller=CALLER,
        called=CALLED,
        language=LANGUAGES[seed // len(TIMES) % len(LANGUAGES)],
        name=str(seed),
    )


def _about_transfer(random: Random) -> Answering:
    if random.random() < 0.1:
        return Answering((Leave(),))
    return Answering((Connect(random.choice((*ANSWERS.values(), ANSWERS["connected"]))),))


def _about_recording(command: Record, random: Random) -> Answering:
    chance = random.random()
    if chance < 0.1:
        return Answering()
    if chance < 0.2:
        return Answering((Leave(),), random.choice(_BEFORE))
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
        return Answering((Leave(),), random.choice(_WHEN))
    when = random.choices(_WHEN, (60, 30, 10))[0]
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
