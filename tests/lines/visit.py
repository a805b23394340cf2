"""One call as it is to happen, whatever line carries it: who calls and when, what they do, and what services answer."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from random import Random
from typing import Literal, Protocol

from msgspec import Struct

from ivr.engine.call import Taken
from ivr.engine.commands import Recognize, Record, Request, Transfer
from ivr.engine.events import Event, HttpAnswered, ServiceAnswered, ServiceFailed, Transcribed
from ivr.engine.web_orders import HTTP
from ivr.phone.callers.turn_based import CallerAction, Situation
from ivr.phone.phone_events import PhoneEvent


class Places:
    """Counts, along the path of a call, how often it came to a state and was asked there."""

    def __init__(self) -> None:
        self.state = ""
        self.visits: Counter[str] = Counter()
        self.attempts = 0
        self.number = 0

    def take(self, path: Iterable[Taken]) -> None:
        """Go along transitions."""
        for taken in path:
            self.state = taken.target or taken.state
            self.visits[self.state] += 1
            self.attempts = 0

    def asked(self) -> str:
        """Count a question, and return its place: the same on every line, even if others were asked more before it."""
        self.attempts += 1
        self.number += 1
        return f"{self.state}/{self.visits[self.state]}/{self.attempts}"


class Question(Struct, frozen=True):
    """What a flow asks."""

    op: str
    "The operation: another one is another question."
    command: Recognize | Record | Transfer
    place: str
    "State, visit and attempt (`Places`)."
    number: int
    "Questions so far, this one included."


class Answering(Struct, frozen=True):
    """What a caller does about a question."""

    acts: tuple[CallerAction, ...] = ()
    "One after the other; then nothing, whatever the line does."
    when: Literal["asked", "interrupting", "early"] = "asked"
    "`asked`: after the prompt; `interrupting`: as soon as it can be answered; `early`: whatever is heard."


class Mind(Protocol):
    """What somebody does who calls."""

    def answer(self, asked: Question) -> Answering:
        """Return what is done about a question."""


Service = Callable[[int, Request], Event]
"What a service answers to the n-th request of a call; the first is 0."


class Visit(Struct, frozen=True):
    """One call."""

    mind: Mind
    service: Service
    began: float
    "Seconds since 1970."
    caller: str | None
    "None: withheld."
    called: str
    language: str | None
    "The caller's, as far as a line can tell it."
    transfers: bool = True
    "Whether the line may connect the caller with somebody else, if it can."
    closed: Mapping[str, str] = {}
    "What the operator has closed."
    name: str = "0"
    "Stands for what chance there is beside."


class AskedPerson:
    """`ivr.phone.callers.turn_based.Person` who answers what the flow asks, looked up where the flow runs."""

    def __init__(self, mind: Mind, question: Callable[[], Question | None]) -> None:
        """`question` returns what the flow asks now; None: nothing yet."""
        self._mind = mind
        self._question = question
        self._op: str | None = None
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
            self._answering = self._mind.answer(asked)
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


SERVED = {
    "slots": [{"id": str(hour), "day": "2026-12-01", "time": f"{hour:02}:00"} for hour in range(8, 13)],
    "reference": "A7",
    "state": "paid",
    "total": 12.5,
    "day": None,
}
"What web services answer: all that any shipped flow looks for."


def services_by_chance(seed: int) -> Service:
    """Return services that answer as chance has it, which is the same for the n-th request of a call on every line."""

    def answer(number: int, request: Request) -> Event:
        random = Random(f"{seed}/service/{number}")
        if random.random() < 0.1:
            return ServiceFailed(request.job, random.choice(("failed", "timeout")))
        if request.service == HTTP:
            return HttpAnswered(request.job, random.choice((200, 200, 200, 201, 201, 404, 409, 500)), SERVED)
        words = random.choice(("cancel my flight", "my flight was late", None))
        return ServiceAnswered(request.job, Transcribed(words, 0.8, "seeded", 2.0))

    return answer
