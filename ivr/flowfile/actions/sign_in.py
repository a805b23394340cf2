"""`signIn`: how it is written."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Final, get_args

from msgspec.structs import replace
from pydantic import Field

from ivr.engine.actions import sign_in as engine
from ivr.engine.actions.sign_in import DEVICE_KEYS, WAYS_IN
from ivr.engine.events import SignInWay
from ivr.engine.expressions.types import TEXT, Type
from ivr.flowfile.actions.base import (
    AskingSpec,
    Builder,
    LineNeed,
    Matching,
    fractions,
    two_times,
    written_or,
)
from ivr.flowfile.choices import Command, Keyed, is_free
from ivr.flowfile.fields import OneOf, Reference, Time, Whole
from ivr.flowfile.model_parts import Prompt, Spoken, each_spoken, spoken
from ivr.flowfile.source import Path

UNDECIDED: Final = ("declined", "expired")
"The events of a caller who does not sign in."
SIGN_IN_FAILURES: Final = (engine.BURNT, engine.UNAVAILABLE)
ATTEMPTS: Final = 10
SILENCE: Final = 30.0
"Seconds. Who signs in needs minutes: nine silences of this length, and what is said between them."


class SignIn(Matching):
    """Has the caller sign in on a web page."""

    name: Annotated[str, Reference()] = Field(description="What the caller signs in to, a name of signIns.")
    by: Annotated[SignInWay, OneOf(*get_args(SignInWay))] = Field(
        "code",
        description="code (default): the page shows a code that the caller keys; link: in a chat that knows who "
        "writes; device: the caller enters a code at the authority's own page.",
    )
    max_attempts: Annotated[int, Whole(1, 10)] | None = Field(None, description="1 to 10, default 10; then exhausted.")
    initial_silence: Annotated[float, Time(1, 30)] | None = Field(
        None, description="How long the caller may be silent: 1s to 30s, default 30s."
    )
    inter_digit: Annotated[float, Time(1, 5)] | None = Field(
        None, description="The longest pause between two keys: 1s to 5s, default 3s."
    )
    hold_prompt: Prompt | None = Field(None, description="Heard while it is checked; default a short silence.")

    @property
    def keys(self) -> frozenset[str]:
        """The keys that mean something."""
        return frozenset(DEVICE_KEYS.values() if self.by == "device" else f"0123456789#{engine.START_OVER}")

    @property
    def known(self) -> Type:
        """What its prompts can read of the sign-in."""
        return Type("object", fields=dict.fromkeys(WAYS_IN[self.by], TEXT))


class SignInSpec(AskingSpec[SignIn]):
    """The action `signIn` (LANGUAGE C4)."""

    word = "signIn"
    description = "Has the caller sign in on a web page."
    runs = engine.SignIn
    model = SignIn
    attempts_fail_by = ("noInput", "noMatch")
    event_fields = ("reason", engine.FACTS)

    @classmethod
    def may_change_events(cls, inner: Path) -> bool:
        """Return whether the way was cut out."""
        return inner == ("by",)

    def build(self, state: str, builder: Builder) -> engine.SignIn:
        """Make what the engine runs."""
        asked = self.written
        question = replace(
            self.question(builder),
            attempts=written_or(asked.max_attempts, ATTEMPTS),
            initial_silence=written_or(asked.initial_silence, SILENCE),
        )
        return engine.SignIn(
            question,
            name=asked.name,
            by=asked.by,
            scopes=builder.scopes[asked.name],
            inter_digit=written_or(asked.inter_digit, builder.defaults.inter_digit),
            hold_prompt=builder.prompt(asked.hold_prompt),
        )

    def understood(self, commands: Mapping[str, Command]) -> Mapping[str, Command]:
        """Return the commands that have a key; by `device`, those whose key and words no answer has."""
        known = super().understood(commands)
        if self.written.by == "device":
            answers = [(name, Keyed(dtmf=key)) for name, key in DEVICE_KEYS.items()]
            return {name: command for name, command in known.items() if is_free(name, command, answers)}
        return {name: command for name, command in known.items() if command.dtmf}

    def successes(self) -> tuple[str, ...]:
        """Return that the caller has signed in."""
        return (engine.SIGNED_IN,)

    def failures(self) -> tuple[str, ...]:
        """Return what else can become of it; there is no code to be wrong by `device`."""
        failures = SIGN_IN_FAILURES[1:] if self.written.by == "device" else SIGN_IN_FAILURES
        return (*UNDECIDED, *failures)

    def fields(self, event: str) -> Mapping[str, Type]:
        """Return why it failed, in one word."""
        return {"reason": TEXT} if event in SIGN_IN_FAILURES else {}

    def prompts(self, here: Path) -> Iterator[Spoken]:
        """Go through what is said once it has begun, and while the service works."""
        asked = self.written
        yield from spoken(asked.prompt, (*here, "prompt"), "signIn")
        yield from spoken(asked.reprompt, (*here, "reprompt"), "signIn")
        yield from each_spoken(asked.no_input, (*here, "noInput"), "signIn")
        yield from each_spoken(asked.no_match, (*here, "noMatch"), "signIn")
        yield from spoken(asked.hold_prompt, (*here, "holdPrompt"))

    def needs(self, here: Path) -> Iterator[LineNeed]:
        """Return what is wanted of the times of its question."""
        yield from super().needs(here)
        yield from two_times(here, self.written.initial_silence, self.written.inter_digit)
        yield from fractions(here, interDigit=self.written.inter_digit)
