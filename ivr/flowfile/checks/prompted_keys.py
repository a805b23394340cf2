"""The check `prompt-key`: what a text tells callers to press, to say or to wait for, and what is accepted there.

Every text is read, wherever it stands. A question's texts are compared with that question; what is said before
one, by a `say` state, a transition or a `holdPrompt`, with the questions that can be the next.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property, lru_cache, reduce
from operator import or_
from typing import Literal, TypeAlias

from msgspec import Struct

from ivr.engine import flow
from ivr.engine.events import PHONE_KEYS
from ivr.engine.expressions import tree
from ivr.engine.expressions.compile import Expression, Template
from ivr.engine.flow import SELF
from ivr.engine.language_choice import first_part
from ivr.engine.utterance import as_heard
from ivr.engine.variables import Misfit, fit_keys
from ivr.flowfile.actions.base import Asking
from ivr.flowfile.actions.consent import Consent
from ivr.flowfile.actions.digits import Digits
from ivr.flowfile.actions.menu import Menu
from ivr.flowfile.actions.record import Record
from ivr.flowfile.actions.sign_in import SignIn
from ivr.flowfile.checks.declaration import Check
from ivr.flowfile.checks.instruction_languages import keys_named_in
from ivr.flowfile.checks.key_instructions import Named
from ivr.flowfile.checks.word_instructions import beeps_named, number_words, words_named
from ivr.flowfile.choices import Keyed, yes_and_no
from ivr.flowfile.document import Document, Handler
from ivr.flowfile.events import asking, may_fail_by
from ivr.flowfile.finding import Finding, Text
from ivr.flowfile.model import State
from ivr.flowfile.model_parts import AnyPart, Spoken, WordedPart
from ivr.flowfile.prompts import of_action, of_handler, parts_of
from ivr.flowfile.spoken_forms import every_form
from ivr.flowfile.texts import compiled, uses
from ivr.flowfile.variables import variables

PROMPT_KEY = Check(
    "prompt-key",
    "warning",
    "A prompt mentions a key, a word or a beep that does not exist there.",
    group="Dialogue",
    bad="""
start:
  menu:
    prompt: For sales press 1. For service press 4.
    choices: {sales: {dtmf: "1"}, service: {dtmf: "2"}}
  next: bye
""",
    good="""
start:
  menu:
    prompt: For sales press 1. For service press 2.
    choices: {sales: {dtmf: "1"}, service: {dtmf: "2"}}
  next: bye
""",
)


@PROMPT_KEY.message
def _key_not_accepted(words: str, key: str, place: str) -> Text:
    return f'The prompt says "{words}", but the key {key} is not accepted {place}.', ANY_CORRECTION


@PROMPT_KEY.message
def _words_not_recognized(words: str, place: str) -> Text:
    return f'The prompt says "{words}", but this is not recognized {place}.', ANY_CORRECTION


@PROMPT_KEY.message
def _no_beep(words: str, beep: str, place: str) -> Text:
    return f'The prompt says "{words}", but there is no {beep} {place}.', ANY_CORRECTION


ANY_CORRECTION = "Correct the prompt or the question."
FIGURES = frozenset("0123456789")
Sort: TypeAlias = Literal["key", "words", "beep"]
_ANOTHER_CALL = ("next time", "call again", "call back", "call us again", "in future", "in the future", "another call")
"A sentence about a later call names keys of that one."


_FOR_A_SIGN = re.compile(
    r"(?:\s+(?:key|sign|button))?\s+(?:for|as|instead of|in place of)\s+(?:the\s+|a\s+|any\s+)?(?:decimal\s+)?"
    r"(?:point|dot|comma|period|colon|slash|dash|hyphen|space|letter|sign|separator|decimal)s?\b",
    re.IGNORECASE,
)


class Accepted(Struct, frozen=True):
    """What means something in a question, or in the questions that can come next."""

    keys: frozenset[str] = frozenset()
    signs: frozenset[str] = frozenset()
    "Keys that mean something inside an answer, where a text says what: `press star for the point`."
    words: frozenset[str] | None = frozenset()
    "As heard; None: any words."
    beeps: bool = False
    asks: bool = False
    "There is a question at all."
    is_known: bool = True
    "False: what was cut out of the file may listen, too."

    def __or__(self, other: "Accepted") -> "Accepted":
        words = None if self.words is None or other.words is None else self.words | other.words
        signs = self.signs | other.signs
        beeps, asks = self.beeps or other.beeps, self.asks or other.asks
        return Accepted(self.keys | other.keys, signs, words, beeps, asks, self.is_known and other.is_known)


UNKNOWN = Accepted(is_known=False)


@PROMPT_KEY.finder
def prompt_key(document: Document) -> Iterator[Finding]:
    """Find keys, words and beeps that a text mentions and that do not exist there."""
    acceptance = _Acceptance(document)
    for name, state in document.states():
        yield from _of_state(acceptance, name, state)
    for name in document.model.states:
        for _, handler in document.written(name):
            yield from _of_handler(acceptance, handler, name)
    for handler in document.shared.values():
        yield from _of_handler(acceptance, handler, None)
    yield from _of_defaults(acceptance)


def _of_state(acceptance: "_Acceptance", name: str, state: State) -> Iterator[Finding]:
    action = next((action for action, _ in state.questions()), None)
    for prompt in of_action(name, state):
        if prompt.moment == "confirm":
            accepted = acceptance.confirming(name)
        else:
            is_question = action is not None and prompt.path[3:4] != ("holdPrompt",)
            accepted = acceptance.of(name) if is_question else acceptance.after(name)
        yield from _of_prompt(acceptance, prompt, accepted)


def _of_handler(acceptance: "_Acceptance", handler: Handler, state: str | None) -> Iterator[Finding]:
    for prompt, branch in zip(of_handler(handler), (one for one in handler.branches if one.say), strict=True):
        target = state if branch.target == SELF else branch.target
        if target is not None:
            yield from _of_prompt(acceptance, prompt, acceptance.at(target))


def _of_defaults(acceptance: "_Acceptance") -> Iterator[Finding]:
    """Read the texts that states without their own have: each of them has to listen."""
    document = acceptance.document
    for why, texts in (("noInput", document.model.defaults.no_input), ("noMatch", document.model.defaults.no_match)):
        for number, parts in enumerate(texts or ()):
            prompt = Spoken(parts, ("defaults", why, number))
            for name in _without_own(document, why):
                found = list(_of_prompt(acceptance, prompt, acceptance.of(name), f'in "{name}"'))
                yield from found
                if found:
                    break


def _without_own(document: Document, why: str) -> Iterator[str]:
    for name, state in document.states():
        for _, asked in state.questions():
            own = asked.no_input if why == "noInput" else getattr(asked, "no_match", None)
            if own is None and why not in state.on and may_fail_by(state, why):
                yield name


def _of_prompt(acceptance: "_Acceptance", prompt: Spoken, accepted: Accepted, place: str = "here") -> Iterator[Finding]:
    if not accepted.is_known:
        return
    for placed in parts_of(acceptance.document, prompt):
        text = _text(placed.part)
        language = placed.spoken_in or acceptance.document.model.language
        for named, sort in _missing(text, language, accepted):
            words = text[named.start : named.end]
            match sort:
                case "key":
                    problem = _key_not_accepted(words, named.what, place)
                case "words":
                    problem = _words_not_recognized(words, place)
                case _:  # the beep
                    problem = _no_beep(words, named.what, place)
            yield acceptance.document.finding_within(problem, (*placed.path, "text"), named.start, named.end)


def _text(part: AnyPart) -> str:
    return part.text or "" if isinstance(part, WordedPart) else ""


@lru_cache(maxsize=4096)
def _missing(text: str, language: str, accepted: Accepted) -> Sequence[tuple[Named, Sort]]:
    """List what a text mentions and what does not exist, each with what it is."""
    lower = text.lower()
    if not accepted.asks and any(words in lower for words in _ANOTHER_CALL):
        return []
    missing = [named for named in keys_named_in(text, language) if named.what not in accepted.keys]
    if first_part(language) != "en":  # what others are told to say, to wait for or to use a sign for is not read
        return [(named, "key") for named in missing if named.what not in accepted.signs]
    found: list[tuple[Named, Sort]] = [
        (named, "key") for named in missing if not (named.what in accepted.signs and _FOR_A_SIGN.match(text, named.end))
    ]
    if accepted.asks and accepted.words is not None:
        found += [(named, "words") for named in words_named(text, accepted.words) if named.what not in accepted.words]
    if accepted.asks and not accepted.beeps:
        found += [(named, "beep") for named in beeps_named(text)]
    return found


class _Acceptance:
    """What listens where, each state looked at once."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self._variables = variables(document)
        self._compared = _compared_keys(document)
        self._known = {name: self._accepted(name, state) for name, state in document.states() if asking(state)}

    def of(self, name: str) -> Accepted:
        """Return what a question listens for."""
        return self._known[name]

    def confirming(self, name: str) -> Accepted:
        """Return what is listened for when an answer is to be confirmed."""
        state = self.document.model.states[name]
        answers = [answer for _, asked in state.questions() for answer in yes_and_no(asked)]
        return Accepted(_keys_of(answers), words=None, asks=True) | self._of_commands(state)

    def at(self, name: str) -> Accepted:
        """Return what is listened for once a state is entered."""
        return self._at.get(name, UNKNOWN) if self.document.has_all_transitions else UNKNOWN

    def after(self, name: str) -> Accepted:
        """Return what the questions listen for that can be the next after a state."""
        if not self.document.has_all_transitions:
            return UNKNOWN
        return reduce(or_, (self._at[target] for target in self._next(name)), Accepted())

    @cached_property
    def _at(self) -> Mapping[str, Accepted]:
        """Carry what questions listen for back over the states that lead to them."""
        comes_from: dict[str, set[str]] = {}
        for name in self.document.model.states.keys() - self._known.keys():
            for target in self._next(name):
                comes_from.setdefault(target, set()).add(name)
        found = {name: self._known.get(name, Accepted()) for name in self.document.model.states}
        waiting = list(self._known)
        while waiting:
            name = waiting.pop()
            for before in comes_from.get(name, ()):
                more = found[before] | found[name]
                if more != found[before]:
                    found[before] = more
                    waiting.append(before)
        return found

    def _next(self, name: str) -> Iterator[str]:
        for transition in self.document.transitions[name]:
            if not transition.event.startswith(("error", "hangup")):
                yield transition.target

    def _accepted(self, name: str, state: State) -> Accepted:
        found = Accepted(asks=True)
        for action, asked in state.questions():
            found |= self._of_question(asked) if self.document.is_sound("states", name, action) else UNKNOWN
        return found | self._of_commands(state)

    def _of_commands(self, state: State) -> Accepted:
        """Return the commands of the flow that are understood in a state."""
        if not self.document.is_sound("commands"):
            return UNKNOWN
        commands = [self.document.model.commands[name] for name in state.understood]
        forms = (form for each in commands for form in every_form(each.speech))
        return Accepted(_keys_of(commands), words=_as_heard(forms))

    def _of_question(self, asked: Asking) -> Accepted:
        if isinstance(asked, Menu):
            several = [*asked.choices.values(), *(choice.more for choice in asked.choices.values() if choice.more)]
            keys = _keys_of(several) | frozenset(asked.terminators)
            if asked.listed:  # what its items are called is not known
                return Accepted(keys | frozenset(asked.free_keys(self.document.model.commands)), words=None)
            return Accepted(keys, words=_as_heard(form for each in several for form in every_form(each.speech)))
        if isinstance(asked, SignIn):
            return Accepted(asked.keys, words=None)
        if isinstance(asked, Consent):
            return Accepted(_keys_of(asked.answers.values()), words=None)
        if isinstance(asked, Record):
            return Accepted(frozenset(asked.terminators), words=_phrases(asked), beeps=asked.beep)
        return self._of_digits(asked) if isinstance(asked, Digits) else Accepted()

    def _of_digits(self, digits: Digits) -> Accepted:
        """Return the keys that can be part of an answer, or end it."""
        variable = self._variables.get(digits.into) if digits.into else None
        ends = frozenset(digits.terminators)
        if variable is None or variable.type.name == "text":
            keys = self._compared | FIGURES
            if variable and variable.values:
                keys = frozenset("".join(variable.values)) & PHONE_KEYS
        else:
            keys = FIGURES | ({"*"} if variable.type.name == "decimal" else frozenset())
            if digits.max_digits == 1:
                keys = frozenset(key for key in keys if _fits(key, variable)) or keys
        # Without a type, keys are text: the star may stand for a point in it, if the prompt says so.
        signs = PHONE_KEYS - ends if variable is None or variable.type.name == "text" else frozenset()
        return Accepted(keys | ends, signs)


def _keys_of(choices: Iterable[Keyed]) -> frozenset[str]:
    return frozenset(key for choice in choices for key in choice.dtmf or "")


def _phrases(record: Record) -> frozenset[str] | None:
    """Return the words that a transcript can be expected to hold; None: any."""
    if not record.transcribe or not record.phrases:
        return None
    return frozenset(piece for phrase in record.phrases for piece in _pieces(phrase))


def _as_heard(forms: Iterable[str]) -> frozenset[str]:
    return frozenset(number_words(as_heard(form)) for form in forms)


def _pieces(phrase: str) -> Iterator[str]:
    """Return every run of words of a phrase: who says "sales" may mean "the sales department"."""
    words = number_words(as_heard(phrase)).split()
    for start in range(len(words)):
        for end in range(start + 1, len(words) + 1):
            yield " ".join(words[start:end])


def _fits(key: str, variable: flow.Variable) -> bool:
    try:
        fit_keys(key, variable)
    except Misfit:
        return False
    return True


def _compared_keys(document: Document) -> frozenset[str]:
    """Return the keys that some expression looks for: `digits == '*'` makes an answer of the star."""
    found: set[str] = set()
    for use in uses(document):
        what = compiled(use.text, bare=use.is_bare)
        expressions = what.expressions if isinstance(what, Template) else [what] if isinstance(what, Expression) else []
        for expression in expressions:
            for constant in tree.constants(expression.node):
                if isinstance(constant, str) and constant and PHONE_KEYS.issuperset(constant):
                    found.update(constant)
    return frozenset(found)
