"""Every text that a flow speaks, and what is spoken of it: what is the same in all calls can be made before the first.

A text is the same in all calls if its expressions read nothing but constants: variables that keep their default, and
the key of a choice. Which language it is spoken in may depend on the way to it, so languages are followed through the
states.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from ivr.engine.commands import Text
from ivr.engine.expressions.compile import Template, compile_template
from ivr.engine.flow import SELF
from ivr.engine.language_choice import among
from ivr.engine.prompt import said_and_marked
from ivr.engine.text_markup import Markup
from ivr.engine.values import Value
from ivr.errors import ExpressionFailed
from ivr.flowfile.card_parts import CardPart
from ivr.flowfile.document import Document
from ivr.flowfile.events import asking
from ivr.flowfile.model_parts import Spoken, TextPart
from ivr.flowfile.prompts import Placed, of_action, of_commands, of_defaults, of_handler, parts_of
from ivr.flowfile.source import Path
from ivr.flowfile.texts import root
from ivr.flowfile.variables import constants

LANGUAGE = "language"
"The fact that says in which language a text is spoken that has none of its own; `set` can change it."

CATALOGUE = "prompts"
"The section with texts that several states can speak."
Languages: TypeAlias = frozenset[str | None]
"Language tags; None is one that only a call knows."


class FlowText(Struct, frozen=True):
    """One text of a flow."""

    state: str | None
    "None: it stands in `on`, `defaults` or `prompts` of the flow."
    path: Path
    "Where it stands in the file."
    line: int
    "The same, counted from 1."
    written: str
    "What the author wrote, white space folded."
    spoken: tuple[Text, ...]
    "What is spoken in every call, once for each language in which it can be: as the engine orders it of the line."
    reads: tuple[str, ...]
    "What only a call knows of it, as dotted names in order; empty: `spoken` is all that is ever spoken of it."
    file: str = ""
    "The included file in which it stands; empty: it stands in the flow's own."

    def together(self, other: "FlowText") -> "FlowText":
        """Return what is spoken of the same text in two places."""
        spoken = dict.fromkeys((*self.spoken, *other.spoken))
        return replace(self, spoken=tuple(spoken), reads=tuple(dict.fromkeys((*self.reads, *other.reads))))

    @property
    def place(self) -> str:
        """Where it is written, as one says it: its line, and the file if that is not the flow's."""
        return f"line {self.line}{f' of {self.file}' if self.file else ''}"


def flow_texts(document: Document) -> tuple[FlowText, ...]:
    """Return the texts of a sound flow: those of its states in their order, then those that states share.

    Left out is what is never spoken: blank texts, and expressions that fail in every call.
    """
    found: dict[tuple[str | None, Path], FlowText] = {}
    for state, prompt, languages in _prompts(document):
        for text in _texts(document, state, prompt, languages):
            if text.spoken or text.reads:
                known = found.setdefault((text.state, text.path), text)
                found[text.state, text.path] = known.together(text)
    return tuple(found.values())


def _prompts(document: Document) -> Iterator[tuple[str | None, Spoken, Languages]]:
    """Go through the prompts of a flow: the state, the prompt, and the languages of texts in it that name none."""
    languages = _followed(document)
    for name, state in document.states():
        for prompt in of_action(name, state):
            yield name, prompt, languages.in_state[name]
        for _, handler in document.written(name):
            for prompt in of_handler(handler):
                yield name, prompt, languages.of_branch(prompt.path[:-1])
    for handler in document.shared.values():
        for prompt in of_handler(handler):
            yield None, prompt, languages.of_branch(prompt.path[:-1])
    asked_in = frozenset[str | None]().union(
        *(languages.in_state[name] for name, state in document.states() if asking(state))
    )
    for prompt in (*of_defaults(document), *of_commands(document)):
        yield None, prompt, asked_in


def _texts(document: Document, state: str | None, prompt: Spoken, languages: Languages) -> Iterator[FlowText]:
    known = _Known({**constants(document), **prompt.knows})
    for placed in parts_of(document, prompt):
        part = placed.part
        if isinstance(part, TextPart | CardPart) and part.text is not None:
            template = compile_template(part.text)
            tags = _languages(document, placed, languages)
            voice = part.voice or document.model.voice
            markup = part.markup if isinstance(part, TextPart) else None
            values = {tag: _value(template, markup, known.in_language(tag)) for tag in sorted(filter(None, tags))}
            said = {tag: value for tag, (value, _) in values.items() if value}
            spoken = tuple(Text(value, voice, tag, part.say_as, part.emphasize) for tag, value in said.items())
            place = document.source.place(document.source.mark(*placed.path).line)
            reads = {name for _, read in values.values() for name in read}
            yield FlowText(
                state if placed.path[0] != CATALOGUE else None,
                placed.path,
                place.line,
                " ".join(part.text.split()),
                spoken,
                (*sorted(reads - {LANGUAGE}), *([LANGUAGE] if None in tags else [])),
                place.file if place.file != document.source.file else "",
            )


def _languages(document: Document, placed: Placed, followed: Languages) -> Languages:
    """Return in which languages a text is spoken, where calls come with those that were followed; empty: in none."""
    languages = followed or frozenset([document.model.language])
    if placed.around.language is not None and not {placed.around.language, None} & languages:
        return frozenset()
    return languages if placed.spoken_in is None else frozenset([placed.spoken_in])


# --- what is known before a call -------------------------------------------------------------------------------------


class _OnlyInACall(Exception):
    """An expression reads `name`, which is known in a call alone."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class _Known(dict[str, Value]):
    """Names that have the same value in every call."""

    def __missing__(self, name: str) -> Value:
        raise _OnlyInACall(name)

    def in_language(self, language: str) -> "_Known":
        """Return the same in a call that speaks this language."""
        return _Known({**self, LANGUAGE: language})

    def get(self, name: str, default: object = None) -> Value:
        """Do the same: a comparison of moments asks so for `now`, to learn the flow's zone."""
        return self[name]


def _value(template: Template, markup: Markup | None, known: _Known) -> tuple[str, tuple[str, ...]]:
    """Return what is spoken of a text in every call, and what only a call knows of it."""
    try:
        return said_and_marked(template, markup, known)[0], ()
    except _OnlyInACall as asked:
        named = {name for name in template.names if root(name) not in known}
        return "", tuple(sorted(named or {asked.name}))
    except ExpressionFailed:
        return "", ()


# --- languages -------------------------------------------------------------------------------------------------------


class _Followed(Struct, frozen=True):
    """The languages that are spoken."""

    in_state: Mapping[str, frozenset[str | None]]
    in_branch: Mapping[Path, frozenset[str | None]]
    "By the path of the branch: what its own text is spoken in. A branch that no call takes is not here."

    def of_branch(self, path: Path) -> Languages:
        """Return the languages in which the text of a transition is spoken; empty: it is never taken."""
        return self.in_branch.get(path, frozenset())


def _followed(document: Document) -> _Followed:
    """Follow the languages from the beginning of a call through all states that it can come to."""
    known = _Known(constants(document))
    inside: dict[str, set[str | None]] = {name: set() for name, _ in document.states()}
    said: defaultdict[Path, set[str | None]] = defaultdict(set)
    waiting: list[tuple[str, str | None]] = []

    def stands(name: str, language: str | None) -> None:
        if language not in inside[name]:
            inside[name].add(language)
            waiting.append((name, language))

    def enters(name: str, language: str | None) -> None:
        for after in _after(document, document.model.states[name].set, language, known):
            stands(name, after)

    for callers in document.model.all_languages:
        enters(document.model.initial, callers)
    while waiting:
        name, language = waiting.pop()
        for transition in document.transitions[name]:
            branch = transition.branch
            go = stands if branch.target == SELF else enters
            for after in _after(document, branch.set, language, known):
                said[transition.path].add(after)
                go(transition.target, after)
    return _Followed(
        {name: frozenset(found) for name, found in inside.items()},
        {path: frozenset(found) for path, found in said.items()},
    )


def _after(
    document: Document, assigned: Mapping[str, str], language: str | None, known: _Known
) -> Iterable[str | None]:
    """Return the languages in which a call can be after an assignment that may set it."""
    if LANGUAGE not in assigned:
        return [language]
    several = document.model.languages
    try:
        chosen = str(compile_template(assigned[LANGUAGE]).value(known))
    except (_OnlyInACall, ExpressionFailed):
        return several or [None]
    return [among(chosen, several) or document.model.language] if several else [chosen]
