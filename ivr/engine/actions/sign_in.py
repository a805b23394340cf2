"""`signIn`: has the caller sign in on a web page, and binds that to the call.

    start -> order `begin` -> SignInBegun, by
        code      ask for the digits that the page shows -> order `check` with them -> SignInChecked
        link      say the prompt -> order `await` -> SignInChecked
        device    ask whether it is done -> order `check` -> SignInChecked

What opens the way to the page (link, ticket, the code of `device`) is spoken and never traced; the code that the caller
keys is sealed, and a trace keeps how it was judged (C12). Whether it is the right one, the service says.
"""

from collections.abc import Mapping
from typing import Final

from ivr.engine.actions.asking import Asking, never_offered, understood_everywhere
from ivr.engine.actions.base import Again, Asks, Denied, Needs, Raised, Result, Why
from ivr.engine.commands import Argument, Choice, DigitInput, Segment
from ivr.engine.events import (
    ChoiceMade,
    Event,
    InputInvalid,
    InputTimedOut,
    KeysJudged,
    KeysPressed,
    ServiceFailed,
    SignInBegun,
    SignInChecked,
    SignInResult,
    SignInWay,
    SpeechHeard,
)
from ivr.engine.masking import without_ways_in
from ivr.engine.offers import added_everywhere, by_keys, by_words
from ivr.engine.prompt import Prompt
from ivr.engine.scope import Scope
from ivr.engine.sign_in_orders import AWAIT, AWAIT_TIME, BEGIN, BEGIN_TIME, CHECK, CHECK_TIME, CODE_DIGITS, SIGN_IN
from ivr.engine.values import MaskedValue, Value

FACTS: Final = "signIn"
"What the prompts can read of a sign-in."
WAYS_IN: Final = {
    "code": ("page", "ticket", "link"),
    "link": ("page", "ticket", "link"),
    "device": ("page", "code"),
}
"What there is of a sign-in to be told to the caller, by its way."
START_OVER: Final = "*"
"The key that begins the sign-in anew."
STAND_INS: Final = {"page": "xxx", "ticket": "xxx", "link": "https://xxx", "code": "xxx"}
"In a trace, in the place of what opens the way to a page."
DEVICE_KEYS: Final = {"repeat": "1", "done": "2", "cancel": "0"}
"What a caller can answer who signs in by `device`, with the keys."
SIGNED_IN: Final = "signedIn"
"The event of success."
BURNT: Final = "failed.burnt"
UNAVAILABLE: Final = "failed.unavailable"
_DEVICE_CHOICES = tuple(Choice(name, key) for name, key in DEVICE_KEYS.items())


class SignIn(Asking, frozen=True):
    """The action `signIn` (LANGUAGE C4)."""

    name: str
    by: SignInWay
    scopes: tuple[str, ...]
    inter_digit: float
    "Seconds."
    hold_prompt: Prompt = ()

    @property
    def private(self) -> bool:
        """What the caller keys is for nobody's eyes."""
        return True

    def start(self, scope: Scope) -> Result:
        """Begin; or ask again, if it has begun."""
        if (begun := scope.signing_in) is not None:
            return self._asks(scope, begun, _knowing(scope, begun).prompt(self.question.prompt))
        arguments: dict[str, Argument] = {
            "do": BEGIN,
            "name": self.name,
            "by": self.by,
            "scopes": self.scopes,
            "caller": scope.caller,
            "identity": scope.identity,
            "language": scope.language,
        }
        return Needs(SIGN_IN, arguments, BEGIN_TIME, sensitive=True, present=True)

    def again(self, scope: Scope, why: Why, count: int) -> Result:
        """Ask again."""
        begun = scope.signing_in or {}
        knowing = _knowing(scope, begun)
        whole = knowing.prompt(self.question.prompt)
        return self._asks(scope, begun, self.question.repeated(knowing, whole, why, count))

    def hear(self, scope: Scope, event: Event, offered: tuple[str, ...]) -> Result | None:
        """Judge an answer, of the caller or of the service."""
        match event:
            case SignInBegun():
                return self._begun(scope, event)
            case SignInChecked(result=result):
                return _decided(result, asked=scope.signing_in is not None)
            case ServiceFailed(code=code):
                return _failed(UNAVAILABLE, f"the service did not answer: {code}")
        begun = scope.signing_in
        return None if begun is None else self._answered(scope, begun, event, offered)

    def traced(self, event: Event, result: Result | None) -> Event:
        """Keep of what was keyed or said only how it was judged, and of what opens the page nothing (C12)."""
        if isinstance(event, SignInBegun):
            return without_ways_in(event)
        if isinstance(event, KeysPressed | SpeechHeard) and isinstance(result, Again | Needs):
            return KeysJudged(event.op, "refused" if isinstance(result, Again) else "accepted")
        return event

    def hold(self, scope: Scope) -> tuple[Segment, ...]:
        """Return what is heard while the service works."""
        return scope.prompt(self.hold_prompt)

    # --- what is asked ---

    def _begun(self, scope: Scope, event: SignInBegun) -> Result:
        known = ("attempt", *WAYS_IN[event.by])
        begun: dict[str, Value] = {"by": event.by}
        begun |= {name: MaskedValue() if event.masked else getattr(event, name) for name in known}
        prompt = _knowing(scope, begun).prompt(self.question.prompt)
        if event.by == "link":
            return Needs(SIGN_IN, {"do": AWAIT}, AWAIT_TIME, private=_attempt(begun), says=prompt, present=True)
        return self._asks(scope, begun, prompt)

    def _asks(self, scope: Scope, begun: Mapping[str, Value], prompt: tuple[Segment, ...]) -> Asks:
        if begun["by"] == "device":
            return Asks(self.question.recognize(scope, prompt, choices=self._choices(scope)), signing_in=begun)
        digits = DigitInput(CODE_DIGITS, CODE_DIGITS, "#", self.inter_digit)
        return Asks(self.question.recognize(scope, prompt, digits=digits), signing_in=begun)

    def _choices(self, scope: Scope) -> tuple[Choice, ...]:
        """Return what can be answered by `device`."""
        commands = added_everywhere(scope, _DEVICE_CHOICES, self.question.everywhere)
        return (*_DEVICE_CHOICES, *(one.choice for one in commands))

    # --- what is answered ---

    def _answered(
        self, scope: Scope, begun: Mapping[str, Value], event: Event, offered: tuple[str, ...]
    ) -> Result | None:
        match event:
            case InputTimedOut():
                return Again("noInput")
            case InputInvalid() | KeysJudged(verdict="refused"):
                return Again("noMatch")
            case KeysJudged():
                return _checks({})
            case ChoiceMade(choice=name):
                return self._chosen(scope, begun, name) if name in offered else never_offered()
            case KeysPressed(keys=keys) if begun["by"] == "device":
                return self._chosen(scope, begun, by_keys(self._choices(scope), keys))
            case KeysPressed(keys=keys):
                return self._keyed(begun, keys)
            case SpeechHeard(text=text):
                return self._chosen(scope, begun, by_words(self._choices(scope), text))
        return None

    def _keyed(self, begun: Mapping[str, Value], keys: str) -> Result:
        """Judge what is keyed by `code`; whether it is the right one, the service says."""
        if keys == START_OVER:
            return Denied()
        if len(keys) == CODE_DIGITS and keys.isascii() and keys.isdecimal():
            return _checks({**_attempt(begun), "code": keys})
        command = by_keys((choice.offer for choice in self.question.everywhere), keys)
        return Again("noMatch") if command is None else understood_everywhere(command)

    def _chosen(self, scope: Scope, begun: Mapping[str, Value], name: str | None) -> Result:
        """Do what the caller wants who signs in by `device`."""
        match name:
            case None:
                return Again("noMatch")
            case "repeat":
                return self._asks(scope, begun, _knowing(scope, begun).prompt(self.question.prompt))
            case "done":
                return _checks(_attempt(begun))
            case "cancel":
                return Raised("declined", settles=True)
        return understood_everywhere(name)


def _knowing(scope: Scope, begun: Mapping[str, Value]) -> Scope:
    """Return the scope in which the prompts are made; what they read of the sign-in is for the caller alone."""
    ways = WAYS_IN[str(begun["by"])]
    known = {FACTS: {name: begun[name] for name in ways}}
    return scope.having(known, private=True, stand_ins={FACTS: {name: STAND_INS[name] for name in ways}})


def _attempt(begun: Mapping[str, Value]) -> dict[str, Argument]:
    """Return by which the service knows the sign-in; nothing in a replay, where nobody is asked."""
    attempt = begun["attempt"]
    return {"attempt": attempt} if isinstance(attempt, str) else {}


def _checks(private: Mapping[str, Argument]) -> Needs:
    return Needs(SIGN_IN, {"do": CHECK}, CHECK_TIME, private=private, present=True)


def _decided(result: SignInResult, *, asked: bool) -> Result:
    """Raise what has become of the sign-in; `asked`: the caller can be asked again."""
    match result:
        case "wrong" | "pending" if asked:
            return Again("noMatch")
        case "signedIn" | "declined" | "expired":
            return Raised(result, settles=True)
        case "burnt":
            return _failed(BURNT, "too many wrong codes were keyed")
    return _failed(UNAVAILABLE, "the authority did not let the caller sign in")


def _failed(event: str, why: str) -> Raised:
    return Raised(event, {"reason": event.partition(".")[2]}, why=why, settles=True)
