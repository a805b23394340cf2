"""Read the vendor's JSON as leniently as the vendor's own classes do (protocol 3), and raise nothing but WebhookError.

Names of members in any case, enumerations in any case or by number, numbers as text, unknown members ignored: no typed
decoder does that. So the JSON is read generically, folded to the exact spelling by tables made once from the shapes in
`wire`, and then converted. What stays wrong after folding is a 400. What is spelled exactly (`spelling`) and can be
converted as it stands is not folded: it would be the same message, at four times the cost.
"""

import json
import math
import re
import types
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Literal, NoReturn, TypeAlias, TypeVar, Union, get_args, get_origin

import msgspec

from ivr.channels.skype import wire
from ivr.channels.skype.line_member import read_line
from ivr.channels.skype.spelling import OLDER_NAMES, Check, exact
from ivr.errors import WebhookError

Fold: TypeAlias = Callable[[Any], Any]
T = TypeVar("T")

_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,15})?")
_UNKNOWN = "unknown"
_TWICE = "an object names a member twice"
_CULTURES = ("unknown", wire.LANGUAGE)  # in the order of their numbers
_CULTURE_CODE_NAME = {"enus": wire.LANGUAGE}  # the vendor's classes read the code's name and write the tag (protocol 7)
_LANGUAGE_TAG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8}){0,7}")  # RFC 5646 2.1, as far as anybody uses it
_VALIDATION_SPELLINGS = {
    spelling.lower(): wire.WORKFLOW_VALIDATION
    for spelling in (wire.WORKFLOW_VALIDATION, wire.WORKFLOW_VALIDATION_ELSEWHERE)
}


def parse(body: bytes) -> object:
    """Return the JSON of a body; raise WebhookError (400) for all that is none, and for a member named twice."""
    try:
        try:
            tree = msgspec.json.decode(body)
            # Taken apart and put together again it is the same text: then no member was lost. 5 times cheaper than a
            # reader that looks at each pair, which is left for the bodies that are merely written in another way.
            written = msgspec.json.encode(tree)
            if written != body and written != msgspec.json.format(body, indent=-1):
                json.loads(body.decode(), object_pairs_hook=_members)
        except msgspec.DecodeError:
            tree = _mended(body)
    except RecursionError as exc:
        raise malformed("the JSON is nested too deep") from exc
    except ValueError as exc:  # of msgspec, of a text that is not UTF-8, of a number that Python refuses
        raise malformed(f"not JSON: {exc}") from exc
    return tree


def _mended(body: bytes) -> object:
    """Read what is not quite JSON as the vendor's readers do: no byte order mark, U+FFFD for half of a character.

    A name that was cut in the midst of an emoji ends with the first half of a surrogate pair. Writers put it into the
    JSON as an escape or, with two encodings mixed up, as bytes; neither is a reason to lose a caller.
    """
    if body.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) or b"\0" in body[:2]:
        raise malformed("the JSON is not UTF-8")
    text = body.removeprefix(BOM_UTF8).decode("utf-8", "surrogatepass")
    tree = json.loads(text, object_pairs_hook=_members, parse_constant=_no_number, parse_float=_finite)
    whole = json.dumps(tree, ensure_ascii=False).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return msgspec.json.decode(whole)


def read(shape: type[T], tree: object) -> T:
    """Return a tree as one of the shapes of `wire`; raise WebhookError (400) if it is none."""
    is_exact, _ = _rules_for(shape)  # type: ignore[arg-type]  # mypy does not see that a class is hashable
    if is_exact is None or is_exact(tree):
        try:
            return msgspec.convert(tree, shape)
        except msgspec.ValidationError:  # once it is folded it may be one
            return read_folded(shape, tree)
    return read_folded(shape, tree)


def read_folded(shape: type[T], tree: object) -> T:
    """Return a tree, however it is spelled, as one of the shapes of `wire`; raise WebhookError (400) if it is none."""
    _, fold = _rules_for(shape)  # type: ignore[arg-type]
    try:
        return msgspec.convert(fold(tree), shape)
    except msgspec.ValidationError as exc:
        raise malformed(f"no {shape.__name__}: {exc}") from exc


@cache
def _rules_for(shape: Any) -> tuple[Check | None, Fold]:
    return exact(shape), _fold_for(shape)


def read_message(tree: object) -> wire.Message:
    """Read a message; its members tell what it is, since any of them may come to any address (protocol 12)."""
    if type(tree) is dict and "operationOutcome" in tree:
        return read(wire.ConversationResult, tree)  # most messages
    names = {name.lower() for name in tree} if isinstance(tree, dict) else set()
    if "operationoutcome" in names:
        return read(wire.ConversationResult, tree)
    # A roster update has participants too; the vendor's Node SDK takes it for a call.
    if names & {"type", "notificationtype"} and "presentedmodalitytypes" not in names:
        return read(wire.Notification, tree)
    if "participants" in names:
        return read(wire.Conversation, tree)
    raise malformed("neither a Conversation nor a ConversationResult nor a notification")


def malformed(message: str) -> WebhookError:
    """Make the error for a body that cannot be read."""
    return WebhookError(400, "malformed", message)


def _members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Refuse an object whose meaning would depend on which of two members a reader takes."""
    members = dict(pairs)
    if len(members) < len(pairs):
        raise malformed(_TWICE)
    return members


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is not a number")


def _finite(digits: str) -> float:
    number = float(digits)
    return number if math.isfinite(number) else _no_number(digits)


# --- folding ---------------------------------------------------------------------------------------------------------


@cache
def _fold_for(annotation: Any) -> Fold:
    """Make the function that brings a value into the exact form of a type, as far as its meaning is clear."""
    if annotation in _SCALARS:
        return _SCALARS[annotation]
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        return _tagged([annotation]) if annotation.__struct_config__.tag else _struct(annotation)
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return _words(arguments)
    if origin is tuple:
        return _keys if arguments[0] is wire.Key else _list(_fold_for(arguments[0]))
    if origin in (Union, types.UnionType):
        alternatives = [argument for argument in arguments if argument is not types.NoneType]
        if float in alternatives:
            return _number
        return _fold_for(alternatives[0]) if len(alternatives) == 1 else _tagged(alternatives)
    raise TypeError(f"no rule for folding {annotation}")


def _struct(shape: type[msgspec.Struct]) -> Fold:
    fields = msgspec.structs.fields(shape)
    known = {field.encode_name.lower(): (field.encode_name, _fold_for(field.type)) for field in fields}
    known |= {older: known[name] for older, name in OLDER_NAMES.items() if name in known}

    def fold(value: Any) -> object:
        if not isinstance(value, dict):
            return value
        folded: dict[str, object] = {}
        seen: set[str] = set()
        for name, item in value.items():
            spelled, inner = known.get(name.lower(), _IGNORED)
            if spelled in seen:
                raise malformed(_TWICE)
            if spelled:
                seen.add(spelled)
                if item is not None:
                    folded[spelled] = inner(item)
        return folded

    return fold


def _tagged(shapes: list[type[msgspec.Struct]]) -> Fold:
    """Fold one of several shapes, told apart by the word of one member, which is exact (protocol 5.1, 6)."""
    name = shapes[0].__struct_config__.tag_field or ""
    folds = {str(shape.__struct_config__.tag): _struct(shape) for shape in shapes}

    def fold(value: Any) -> object:
        if not isinstance(value, dict):
            return value
        words = [item for member, item in value.items() if member.lower() == name]
        if len(words) > 1:
            raise malformed(_TWICE)
        tag = _tag(words[0], folds) if words else None
        if tag not in folds:
            return {name: tag}  # for the conversion to refuse with the word and the place
        return {name: tag, **folds[tag](value)}

    return fold


def _tag(word: Any, known: Mapping[str, Fold]) -> Any:
    if not isinstance(word, str):
        return None
    # All that this outcome can say is a failure, so its name may be read generously: it is spelled in three ways.
    word = _VALIDATION_SPELLINGS.get(word.lower(), word)
    return _UNKNOWN if _UNKNOWN in known and word not in known else word


def _words(values: tuple[str, ...]) -> Fold:
    by_name = {value.lower(): value for value in values}
    by_name |= {str(number): value for number, value in enumerate(values)}

    def fold(value: Any) -> object:
        if isinstance(value, str):
            return by_name.get(value.lower(), _UNKNOWN)
        if type(value) is int:  # a boolean is none
            return values[value] if 0 <= value < len(values) else _UNKNOWN
        # Like a word that is not known; but a null in a list, a list or an object is no value at all (protocol 7).
        return _UNKNOWN if isinstance(value, bool | float) else value

    return fold


def _culture(value: Any) -> object:
    """Fold a language: a word of the vendor's, else any tag (protocol 24)."""
    word = _words(_CULTURES)(value)
    if word != _UNKNOWN or not isinstance(value, str):
        return word
    return _CULTURE_CODE_NAME.get(value.lower()) or (value if _LANGUAGE_TAG.fullmatch(value) else _UNKNOWN)


def _list(inner: Fold) -> Fold:
    return lambda value: [inner(item) for item in value] if isinstance(value, list) else value


def _keys(value: Any) -> object:
    """Fold a list of keys: the vendor's own demo sends them as one text (protocol 5.5)."""
    return list(value) if isinstance(value, str) else value


def _text(value: Any) -> object:
    return str(value) if type(value) is int else value


def _number(value: Any) -> object:
    return float(value) if isinstance(value, str) and _NUMBER.fullmatch(value) else value


def _whole(value: Any) -> object:
    number = _number(value)
    return round(number) if isinstance(number, float) else number  # as .NET does, a half to the even side


def _noted(value: Any) -> object:
    """Fold a number that is good to know and no more: a recording is worth more than the length that is told of it."""
    number = _number(value)
    return number if type(number) in (int, float) else None


def _flag(value: Any) -> object:
    return {"true": True, "false": False}.get(value.lower(), value) if isinstance(value, str) else value


def _links(value: Any) -> object:
    return {name: link for name, link in value.items() if link is not None} if isinstance(value, dict) else value


def _as_it_is(value: Any) -> object:
    return value


_IGNORED: tuple[str, Fold] = ("", _as_it_is)
_SCALARS: dict[Any, Fold] = {
    str: _text,
    int: _whole,
    float: _number,
    bool: _flag,
    wire.Key: _as_it_is,
    wire.Keys: _as_it_is,
    wire.Culture: _culture,
    wire.Length: _noted,
    wire.Status: _noted,
    wire.LineNews: read_line,
    dict[str, str]: _links,
}
