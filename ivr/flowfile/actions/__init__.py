"""The table of the language's actions: whoever asks which there are, asks here.

Adding an action `x`:

1. `ivr/engine/actions/x.py`: what it does in a call.
2. `ivr/flowfile/actions/x.py`: how it is written, and what is known of it before a call runs.
3. Here: its key in `ActionKeys`, and its entry in `ACTIONS`. One without the other is refused at import.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from keyword import iskeyword
from typing import Any

from pydantic import Field, PrivateAttr
from pydantic.alias_generators import to_snake

from ivr.engine.actions.base import Action
from ivr.flowfile.actions.answer import AnswerSpec
from ivr.flowfile.actions.ask import Ask, AskSpec
from ivr.flowfile.actions.base import ActionSpec, Asking, AskingSpec, KeepingSpec, Nothing
from ivr.flowfile.actions.consent import Consent, ConsentSpec
from ivr.flowfile.actions.decide import DecideSpec
from ivr.flowfile.actions.digits import Digits, DigitsSpec
from ivr.flowfile.actions.hangup import HangUpSpec
from ivr.flowfile.actions.http import Http, HttpSpec
from ivr.flowfile.actions.invoke import InvokeSpec, WrittenInvoke
from ivr.flowfile.actions.menu import Menu, MenuSpec
from ivr.flowfile.actions.notify import Notify, NotifySpec
from ivr.flowfile.actions.pause import PauseLength, PauseSpec
from ivr.flowfile.actions.record import Record, RecordSpec
from ivr.flowfile.actions.reject import RejectSpec
from ivr.flowfile.actions.return_ import ReturnSpec, WrittenReturn
from ivr.flowfile.actions.say import SaySpec
from ivr.flowfile.actions.sign_in import SignIn, SignInSpec
from ivr.flowfile.actions.split import Split, SplitSpec
from ivr.flowfile.actions.transfer import Transfer, TransferSpec
from ivr.flowfile.choices import Command
from ivr.flowfile.model_base import Model
from ivr.flowfile.model_parts import Branches, Prompt


class ActionKeys(Model):
    """The keys of a state that say what it does: one for each action, of which a state has one."""

    description: str | None = Field(None, description="A comment for authors.")
    say: Prompt | None = SaySpec.key()
    pause: PauseLength | None = PauseSpec.key()
    menu: Menu | None = MenuSpec.key()
    digits: Digits | None = DigitsSpec.key()
    ask: Ask | None = AskSpec.key()
    record: Record | None = RecordSpec.key()
    consent: Consent | None = ConsentSpec.key()
    sign_in: SignIn | None = SignInSpec.key()
    http: Http | None = HttpSpec.key()
    notify: Notify | None = NotifySpec.key()
    transfer: Transfer | None = TransferSpec.key()
    decide: Branches | None = DecideSpec.key()
    invoke: WrittenInvoke | None = InvokeSpec.key()
    return_: WrittenReturn | None = ReturnSpec.key()
    split: Split | None = SplitSpec.key()
    answer: Nothing | None = AnswerSpec.key()
    hangup: Nothing | None = HangUpSpec.key()
    reject: Nothing | None = RejectSpec.key()

    _commands: Mapping[str, Command] = PrivateAttr(default_factory=dict)

    @cached_property
    def actions(self) -> tuple[ActionSpec[Any], ...]:
        """What the state does, in the order of the table: one action, or several if the author did too much."""
        written = ((spec, getattr(self, _identifier(word))) for word, spec in ACTIONS.items())
        return tuple(spec(value) for spec, value in written if value is not None)

    @cached_property
    def keeping(self) -> tuple[KeepingSpec[Any], ...]:
        """Those of its actions with an answer that a variable can keep."""
        return tuple(spec for spec in self.actions if isinstance(spec, KeepingSpec))

    @cached_property
    def asking(self) -> tuple[AskingSpec[Any], ...]:
        """Those of its actions that ask the caller."""
        return tuple(spec for spec in self.actions if isinstance(spec, AskingSpec))

    @property
    def keyed(self) -> Digits | None:
        """Its question for keys, of which words may be the other way to answer."""
        return self.digits or self.ask

    @property
    def keyed_word(self) -> str:
        """The action of that question."""
        return AskSpec.word if self.digits is None else DigitsSpec.word

    def know(self, commands: Mapping[str, Command]) -> None:
        """Take note of the commands of the flow that the state belongs to."""
        self._commands = commands

    @property
    def understood(self) -> tuple[str, ...]:
        """The commands of the flow that can be used here, each of which is an event."""
        return tuple(name for asking in self.asking for name in asking.understood(self._commands))

    def questions(self) -> Iterator[tuple[str, Asking]]:
        """Go through what it asks as it is written, each with the action's word."""
        return ((spec.word, spec.written) for spec in self.asking)


def _identifier(word: str) -> str:
    """Return the name of a word in Python, which has some of them for itself: `return`; and `sign_in` of `signIn`."""
    return f"{word}_" if iskeyword(word) else to_snake(word)


def table(*specs: type[ActionSpec[Any]], keys: Iterable[str]) -> Mapping[str, type[ActionSpec[Any]]]:
    """Return the actions by word, in order; raise TypeError unless each has its key and its two files."""
    found = {spec.word: spec for spec in specs}
    words, named = Counter(spec.word for spec in specs), Counter(keys)
    if odd := sorted(word for word in {*words, *named} if (words[word], named[word]) != (1, 1)):
        raise TypeError(f"{', '.join(odd)}: an action needs one key and one entry")
    for word, spec in found.items():
        files = {spec.__module__.rpartition(".")[2], spec.runs.__module__.rpartition(".")[2]}
        if files != {_identifier(word)}:
            raise TypeError(f"{word}: an action is a file of its name in engine/actions and in flowfile/actions")
    return found


ACTIONS = table(
    SaySpec,
    PauseSpec,
    MenuSpec,
    DigitsSpec,
    AskSpec,
    RecordSpec,
    ConsentSpec,
    SignInSpec,
    HttpSpec,
    NotifySpec,
    TransferSpec,
    DecideSpec,
    InvokeSpec,
    SplitSpec,
    AnswerSpec,
    HangUpSpec,
    RejectSpec,
    ReturnSpec,
    keys=set(ActionKeys.words()) - {"description"},
)
EVENT_FIELDS = tuple(dict.fromkeys(field for spec in ACTIONS.values() for field in spec.event_fields))
"The fields of the events of all actions."
PRIVATE_FIELDS = frozenset[str]().union(*(spec.private_fields for spec in ACTIONS.values()))
"Those of them that hold what a caller said or keyed."
MODELS: tuple[type[Model], ...] = tuple(
    model for spec in ACTIONS.values() for model in (*([spec.model] if spec.model else []), *spec.parts)
)
"Every mapping that is written in an action."
_BY_CLASS = {spec.runs: word for word, spec in ACTIONS.items()}


def word_of(action: Action) -> str:
    """Return the word of an action of a flow that is built."""
    return _BY_CLASS[type(action)]
