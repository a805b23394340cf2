"""Cards as a flow has them: their texts are templates, and what is in a list can have a guard or stand for a list."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, Literal, Protocol, Self, TypeAlias

import msgspec
from msgspec import Struct

from ivr.engine.cards import CardFace, fits, is_address
from ivr.engine.expressions.compile import Expression, Template

Member: TypeAlias = "Template | Mapping[str, Member] | tuple[Listed, ...]"
WrittenAs: TypeAlias = Literal["words", "as it is", "json"]
Members: TypeAlias = Mapping[str, Member]
"By the names that `ivr.engine.cards` has for them, in camelCase."
MOST_LISTED: Final = 100
"Items of a list that are shown in a card, at most."

_MACHINE_READ: Final = frozenset({"url", "value", "name", "contentType", "kind", "type", "image"})
"Members that are no words, but of facts: in these nothing is folded, and no number is written out."
_ADDRESSES: Final = frozenset({"url", "image"})
"What is no address that a card can have is left out: it may come from a web service, or from a caller."
_BUTTONS: Final = frozenset({"buttons", "tap"})
_NEEDED: Final[Mapping[str, frozenset[str]]] = {
    "buttons": frozenset({"title"}),
    "tap": frozenset({"title"}),
    "images": frozenset({"url"}),
    "image": frozenset({"url"}),
    "facts": frozenset({"key", "value"}),
    "items": frozenset({"title"}),
}
"Without these nothing is left to be shown of what stands there: it is left out."


class Listed(Struct, frozen=True):
    """What is in a list of a card: there once, or once for each item of one of the flow's lists."""

    members: Members
    guard: Expression | None = None
    foreach: Expression | None = None
    item: str = "item"


class Reading(Protocol):
    """What `ivr.engine.scope.Scope` is to a card."""

    def allows(self, guard: Expression | None) -> bool:
        """Try a guard."""

    def words(self, template: Template, written_as: WrittenAs) -> str:
        """Return what a text is now."""

    def each(self, items: Expression, item: str, most: int) -> Iterator[Self]:
        """Go through the first items of a list, and what is known of each."""


def in_json(value: str) -> str:
    """Return a text as it stands between the quotes of a text in JSON."""
    return msgspec.json.encode(value.encode("utf-8", "replace").decode()).decode()[1:-1]


def is_json(text: str) -> bool:
    """Return whether a text is an object, or a list, of JSON."""
    try:
        return isinstance(msgspec.json.decode(text), dict | list)
    except (msgspec.DecodeError, RecursionError):
        return False


def made(members: Members, reading: Reading) -> CardFace | None:
    """Return the card; what comes out blank is not there. None: nothing of it is left."""
    found = _made("", members, reading)
    return msgspec.convert(found, CardFace) if found.keys() - {"kind"} else None


def cleaned(face: CardFace, clean: Callable[[str], str], show: Callable[[str], str]) -> CardFace:
    """Return a card with other texts; what comes out blank is not there.

    `show` is for words that are read, `clean` for addresses, and for what buttons send.
    """
    return msgspec.convert(_cleaned("", msgspec.to_builtins(face), clean, show), CardFace)


def _cleaned(name: str, tree: Any, clean: Callable[[str], str], show: Callable[[str], str]) -> Any:
    if isinstance(tree, str):
        return clean(tree) if name in _MACHINE_READ else show(tree)
    if isinstance(tree, dict):
        words = name == "facts"
        pieces = {key: _cleaned("" if words else key, piece, clean, show) for key, piece in tree.items()}
        return _whole(name, {key: piece for key, piece in pieces.items() if piece})
    return [piece for one in tree if (piece := _cleaned(name, one, clean, show))]


def _made(within: str, members: Members, reading: Reading) -> dict[str, Any]:
    found = {name: _member(within, name, member, reading) for name, member in members.items()}
    return {name: value for name, value in found.items() if value}


def _member(within: str, name: str, member: Member, reading: Reading) -> Any:
    if isinstance(member, Template):
        words = reading.words(member, _written_as(within, name))
        return words if _can_be(name, words) else ""
    if isinstance(member, tuple):
        return [value for listed in member for value in _listed(name, listed, reading)]
    return _whole(name, _made(name, member, reading))


def _written_as(within: str, name: str) -> WrittenAs:
    if name == "channelData":
        return "json"
    return "as it is" if name in _MACHINE_READ and within != "facts" else "words"


def _can_be(name: str, words: str) -> bool:
    if name == "channelData":
        return is_json(words)
    return name not in _ADDRESSES or is_address(words)


def _listed(name: str, listed: Listed, reading: Reading) -> Iterator[dict[str, Any]]:
    scopes = [reading] if listed.foreach is None else reading.each(listed.foreach, listed.item, MOST_LISTED)
    for scope in scopes:
        if scope.allows(listed.guard) and (value := _whole(name, _made(name, listed.members, scope))):
            yield value


def _whole(name: str, piece: dict[str, Any]) -> dict[str, Any]:
    """Return a piece of a card, or nothing if it lacks what it is there for."""
    if "title" in piece and name in _BUTTONS:
        kind, value = piece.get("type", "imBack"), piece.setdefault("value", piece["title"])
        return piece if fits(kind, value) else {}
    return piece if _NEEDED.get(name, frozenset()) <= piece.keys() else {}
