"""`consent`: how it is written."""

from collections.abc import Iterator, Mapping

from pydantic import Field

from ivr.engine.actions import consent as engine
from ivr.engine.expressions.types import BOOLEAN
from ivr.flowfile.actions.base import AnsweredSpec, Builder, Kept, Matching
from ivr.flowfile.choices import Command, Keyed, Told, is_free, with_usual_keys, yes_or_no
from ivr.flowfile.model_parts import Spoken
from ivr.flowfile.source import Path


class Consent(Matching, Kept):
    """Asks for a yes that a recording can depend on."""

    yes: Told = Field(Told.model_validate({}), description='Gives consent; default "1" and yes.')
    no: Told = Field(Told.model_validate({}), description='Refuses it; default "2" and no.')

    @property
    def answers(self) -> Mapping[str, Keyed]:
        """The two answers as they are written, with their keys."""
        return dict(zip(("yes", "no"), with_usual_keys((self.yes, self.no)), strict=True))


class ConsentSpec(AnsweredSpec[Consent]):
    """The action `consent` (LANGUAGE C4)."""

    word = "consent"
    description = "Asks for a yes that a recording can depend on."
    runs = engine.Consent
    model = Consent
    parts = (Told,)
    attempts_fail_by = ("noInput", "noMatch")
    answer_type = BOOLEAN
    kept_as = frozenset({"boolean"})
    answer_called = "whether the caller consents"

    def build(self, state: str, builder: Builder) -> engine.Consent:
        """Make what the engine runs."""
        yes, no = self.written.yes, self.written.no
        choices = (
            yes_or_no(engine.GIVEN, yes, "yes", builder.prompt(yes.prompt)),
            yes_or_no(engine.REFUSED, no, "no", builder.prompt(no.prompt)),
        )
        return engine.Consent(self.question(builder), choices, into=self.written.into)

    def successes(self) -> tuple[str, ...]:
        """Return that consent was given: `next` never stands for a caller who refused."""
        return (engine.GIVEN,)

    def failures(self) -> tuple[str, ...]:
        """Return that it was not."""
        return (engine.REFUSED,)

    def stores_on(self, event: str) -> bool:
        """Return whether the caller said yes or no."""
        return event in {engine.GIVEN, engine.REFUSED}

    def prompts(self, here: Path) -> Iterator[Spoken]:
        """Go through the question, and what is said of the two answers."""
        yield from super().prompts(here)
        for word, answer in (("yes", self.written.yes), ("no", self.written.no)):
            if answer.prompt:
                knows = {"key": self.written.answers[word].dtmf}
                yield Spoken(answer.prompt, (*here, word, "prompt"), "choice", None, knows)

    def understood(self, commands: Mapping[str, Command]) -> Mapping[str, Command]:
        """Return the commands whose key and words neither answer has."""
        answers = list(self.written.answers.items())
        return {name: one for name, one in super().understood(commands).items() if is_free(name, one, answers)}
