"""Carries a document out against a list of signals, each at its time; prompts take as long as a test says."""

from collections import deque

from msgspec import Struct

from ivr.carriers.bot import BotReply
from ivr.carriers.twiml.document_reading import read_document
from ivr.carriers.twiml.grammar import GRAMMAR
from ivr.carriers.twiml.interpreter import apply, begin
from ivr.carriers.twiml.run_state import Ask, CallOver, DialNews, RecordingNews
from ivr.carriers.twiml.twiml_document import Document, Refused
from ivr.line import Effect, PromptEnded, PromptStarted, PromptStopped, Signal, Tick

HERE = "https://bot.example/voice/call?x=1"


class PlayedDocument(Struct, frozen=True):
    """What came of it."""

    next: Ask | CallOver
    at: float
    "Seconds from the beginning."
    effects: tuple[Effect, ...]
    news: tuple[RecordingNews | DialNews, ...]

    @property
    def fields(self) -> dict[str, str]:
        assert isinstance(self.next, Ask)
        return dict(self.next.fields)

    @property
    def url(self) -> str:
        assert isinstance(self.next, Ask)
        return self.next.target.url


def read(xml: str, *, url: str = HERE) -> Document | Refused:
    return read_document(BotReply(200, "text/xml", xml.encode()), url, GRAMMAR)


def carry_out(
    xml: str, *happens: tuple[float, Signal], prompt: float = 2.0, answered: bool = True, patient: bool = False
) -> PlayedDocument:
    document = read(f"<Response>{xml}</Response>")
    assert isinstance(document, Document), document
    now, plan, hearing = 0.0, deque(happens), Hearing(prompt)
    step = begin(document, now=now, answered=answered, patient_records=patient)
    effects, news = list(step.effects), list(step.news)
    for _ in range(1000):
        hearing.follow(step.effects, now)
        if step.next is not None:
            return PlayedDocument(step.next, now, tuple(effects), tuple(news))
        coming: list[tuple[float, int, Signal]] = [
            *((when, 0, signal) for when, signal in list(plan)[:1]),
            *((when, 1, PromptEnded()) for when in hearing.until),
            *((when, 2, Tick()) for when in [step.run.deadline] if when is not None),
        ]
        now, kind, signal = min(coming, key=lambda one: one[:2])
        if kind == 0:
            plan.popleft()
        if kind == 1:
            hearing.until = []
        step = apply(step.run, signal, now=now)
        effects += step.effects
        news += step.news
    raise AssertionError("the document never ends")


class Hearing:
    """The prompt that is heard."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.until: list[float] = []

    def follow(self, effects: tuple[Effect, ...], now: float) -> None:
        for effect in effects:
            if isinstance(effect, PromptStarted):
                self.until = [now + (0.25 if effect.beep else self.seconds)]
            elif isinstance(effect, PromptStopped):
                self.until = []
