"""Reads what a bot answers: an array of verbs, judged to the last property, each mistake with its place.

What jambonz's own judges refuse is refused here. A verb comes as `{"verb": "say", …}` or `{"say": {…}}`.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from ivr.carriers.jambonz.verb_shapes import (
    ABSENT,
    ALIASES,
    PARTS,
    VERBS,
    Between,
    Channel,
    Kind,
    OneOf,
    Part,
    Parts,
    Plain,
    Several,
    Shape,
)
from ivr.carriers.jambonz.verbs import VERB_TYPES, Verb
from ivr.nearest import did_you_mean

DEEPEST = 40
"Mappings and lists within each other; what is deeper is refused before anything looks into it."
SHOWN = 40
"Characters of a wrong value that a message shows."
MOST_PROBLEMS = 20
LARGEST = 1e300
"What no number of a document reaches: JSON can write numbers that are none to a computer."


class Refused(Struct, frozen=True):
    """A document of which nothing is done."""

    problems: tuple[str, ...]
    "For people; each begins with its place, such as `[1].gather.input[0]`."


def read_document(body: bytes) -> tuple[Verb, ...] | Refused:
    """Return the verbs of a document, in order; there may be none."""
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        return Refused((f"The body is not JSON: {error}",))
    if _depth(found, DEEPEST) > DEEPEST:
        return Refused((f"The document is nested deeper than {DEEPEST} levels.",))
    if not isinstance(found, list):
        return Refused(("A document is an array of verbs.",))
    problems: list[str] = []
    verbs: list[Verb] = []
    for number, entry in enumerate(found):
        here = list(_read_entry(f"[{number}]", entry, verbs))
        problems += here
    return Refused(tuple(problems[:MOST_PROBLEMS])) if problems else tuple(verbs)


def _depth(value: object, left: int) -> int:
    """Return how deep a value is, or a number above `left` as soon as it is deeper."""
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    if inside is None:
        return 0
    if left <= 0:
        return 1
    return 1 + max((_depth(one, left - 1) for one in inside), default=0)


def _read_entry(place: str, entry: object, verbs: list[Verb]) -> Iterator[str]:
    """Add an entry's verb, or give its problems."""
    if not isinstance(entry, dict):
        yield f"{place}: a verb is an object"
        return
    if "verb" in entry:
        name, data = entry["verb"], {key: value for key, value in entry.items() if key != "verb"}
    elif len(entry) == 1:
        ((name, data),) = entry.items()
    else:
        yield f'{place}: the property "verb" is missing'
        return
    name = ALIASES.get(name, name) if isinstance(name, str) else name
    if not isinstance(name, str) or name not in VERBS:
        yield f"{place}: {_unknown(name)}"
        return
    problems = list(_judge_part(f"{place}.{name}", VERBS[name], data))
    if problems:
        yield from problems
        return
    try:
        verbs.append(msgspec.convert(data, VERB_TYPES[name]))
    except (msgspec.ValidationError, OverflowError) as error:  # a number that is none, such as 1e999
        yield f"{place}.{name}: {error}"


def _unknown(name: object) -> str:
    if isinstance(name, str) and name in ABSENT:
        return f'this emulator does not carry out "{name}"'
    suggestion = did_you_mean(name, VERBS) if isinstance(name, str) else ""
    return f"{_shown(name)} is not a verb. {suggestion}".rstrip()


def judge_part(place: str, name: str, data: object) -> Iterator[str]:
    """Return what is wrong with a part by itself, such as the order of a call."""
    return _judge_part(place, PARTS[name], data)


def _judge_part(place: str, shape: Shape, data: object) -> Iterator[str]:
    if not isinstance(data, dict):
        yield f"{place}: must be an object"
        return
    for name, value in data.items():
        if name == "_" and not shape.is_closed:
            continue
        kind = shape.properties.get(name)
        if kind is None:
            yield f"{place}.{name[:SHOWN]}: unknown property. {did_you_mean(name, shape.properties)}".rstrip()
        else:
            yield from _judge(f"{place}.{name}", kind, value)
    for name in shape.required:
        if name not in data:
            yield f'{place}: the property "{name}" is missing'
    if shape is VERBS["say"] and "text" not in data and data.get("stream") is not True:
        yield f'{place}: the property "text" is missing'


def _judge(place: str, kind: Kind, value: Any) -> Iterator[str]:
    match kind:
        case str():
            yield from _judge_plain(place, kind, value)
        case OneOf(values=values) if not isinstance(value, str) or value not in values:
            yield f"{place}: {_shown(value)} is none of {', '.join(values)}"
        case Between(least=least, most=most) if not _is_number(value) or not least <= value <= most:
            yield f"{place}: must be a number from {least:g} to {most:g}"
        case Channel() if not _is_number(value) or value not in (1, 2):
            yield f"{place}: must be 1 or 2"
        case Part(shape=name):
            yield from _judge_part(place, PARTS[name], value)
        case Parts(shape=name, least=at_least):
            yield from _judge_parts(place, name, at_least, value)
        case Several(values=values):
            yield from _judge_several(place, OneOf(values), value)


def _judge_several(place: str, kind: OneOf, value: object) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"{place}: must be an array"
        return
    for number, one in enumerate(value):
        yield from _judge(f"{place}[{number}]", kind, one)


def _judge_parts(place: str, name: str, at_least: int, value: object) -> Iterator[str]:
    if not isinstance(value, list) or len(value) < at_least:
        yield f"{place}: must be an array{' with something in it' if at_least else ''}"
        return
    for number, one in enumerate(value):
        if name == "any":
            if not isinstance(one, dict):
                yield f"{place}[{number}]: must be an object"
        else:
            yield from _judge_part(f"{place}[{number}]", PARTS[name], one)


def _judge_plain(place: str, kind: Plain, value: object) -> Iterator[str]:
    match kind:
        case "absent":
            yield f"{place}: this emulator does not carry it out"
        case "hook" | "hook object":
            yield from _judge_hook(place, kind, value)
        case _:
            fits, wanted = _FITS[kind]
            if not fits(value):
                yield f"{place}: must be {wanted}, but is {_shown(value)}"


def _judge_hook(place: str, kind: Plain, value: object) -> Iterator[str]:
    if isinstance(value, str) and kind == "hook":
        return
    if not isinstance(value, dict):
        yield f"{place}: must be an object with a url{' or a text' if kind == 'hook' else ''}"
        return
    if not isinstance(value.get("url"), str):
        yield f"{place}.url: must be a text"
    if value.get("method", "POST") not in ("GET", "POST"):
        yield f"{place}.method: {_shown(value['method'])} is none of GET, POST"
    if "basicAuth" in value:
        auth = value["basicAuth"]
        for name in ("username", "password"):
            if not isinstance(auth, dict) or not isinstance(auth.get(name), str):
                yield f"{place}.basicAuth.{name}: must be a text"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and -LARGEST < value < LARGEST


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _is_mapping_of(*kinds: Callable[[Any], bool]) -> Callable[[object], bool]:
    def fits(value: object) -> bool:
        return isinstance(value, dict) and all(any(kind(one) for kind in kinds) for one in value.values())

    return fits


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_hints(value: object) -> bool:
    def fits(one: object) -> bool:
        if not isinstance(one, dict):
            return isinstance(one, str)
        return isinstance(one.get("phrase"), str) and ("boost" not in one or _is_number(one["boost"]))

    return isinstance(value, list) and all(map(fits, value))


_FITS: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "string": (_is_text, "a text"),
    "number": (_is_number, "a number"),
    "boolean": (lambda value: isinstance(value, bool), "true or false"),
    "object": (lambda value: isinstance(value, dict), "an object"),
    "amount": (lambda value: _is_number(value) or _is_text(value), "a number or a text"),
    "strings": (_is_texts, "an array of texts"),
    "texts": (lambda value: _is_text(value) or _is_texts(value), "a text or an array of texts"),
    "headers": (_is_mapping_of(_is_text, _is_number), "an object of texts and numbers"),
    "text headers": (_is_mapping_of(_is_text), "an object of texts"),
    "voice": (lambda value: isinstance(value, str | dict), "a text or an object"),
    "hints": (_is_hints, "an array of texts, or of objects with a phrase"),
    "capture": (lambda value: isinstance(value, dict) or _is_texts(value), "an array of texts or an object"),
}


def _shown(value: object) -> str:
    """Write a value for a message, cut short: it is the bot's, and may be long."""
    written = msgspec.json.encode(value).decode()
    return written if len(written) <= SHOWN else f"{written[:SHOWN]}…"
