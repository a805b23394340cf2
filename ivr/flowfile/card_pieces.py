"""What is in a card, piece by piece: its texts with their places, and what the engine makes of them."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from msgspec import Struct

from ivr.engine.card_making import Listed, Member, Members
from ivr.engine.expressions.compile import Expression, Template
from ivr.flowfile.card_parts import CardPart, CardPiece, ListedPiece
from ivr.flowfile.model_base import Model
from ivr.flowfile.source import Path

_AROUND = frozenset({"guard", "voice", "language", "emphasize", "say_as", "foreach", "item"})
"What says when and how, and not what."


class CardText(Struct, frozen=True):
    """A text in a card, or an expression."""

    path: Path
    "Where it stands."
    text: str
    is_bare: bool = False
    guards: tuple[str, ...] = ()
    "Guards inside the card that have been found true when it is read."
    items: tuple[tuple[str, str], ...] = ()
    "By name: the lists inside the card of which it is read for each item."
    is_list: bool = False
    "It says a list."


class Expressions(Protocol):
    """Compiles what the author has written."""

    def template(self, text: str) -> Template:
        """Compile a text."""

    def expression(self, text: str) -> Expression:
        """Compile an expression."""

    def guard(self, text: str | None) -> Expression | None:
        """Compile a guard."""


def card_texts(card: CardPart, path: Path) -> Iterator[CardText]:
    """Go through all texts of a card but its kind and its own `text`."""
    for text in _texts(card, path, (), ()):
        if text.path not in {(*path, "card"), (*path, "text")}:
            yield text


def _texts(model: Model, path: Path, guards: tuple[str, ...], items: tuple[tuple[str, str], ...]) -> Iterator[CardText]:
    if isinstance(model, ListedPiece):
        if model.foreach is not None:
            yield CardText((*path, "foreach"), model.foreach, is_bare=True, guards=guards, items=items, is_list=True)
            items = (*items, (model.item, model.foreach))
        if model.guard is not None:
            yield CardText((*path, "guard"), model.guard, is_bare=True, guards=guards, items=items)
            guards = (*guards, model.guard)
    for key, value in _written(model):
        here = (*path, key)
        if isinstance(value, str):
            yield CardText(here, value, guards=guards, items=items)
        elif isinstance(value, CardPiece):
            yield from _texts(value, here, guards, items)
        else:
            for number, piece in enumerate(value):
                yield from _texts(piece, (*here, number), guards, items)


def members(model: Model, compiler: Expressions) -> Members:
    """Return what the engine makes a card of."""
    return {"kind" if key == "card" else key: _member(value, compiler) for key, value in _written(model)}


def _member(value: str | CardPiece | Sequence[ListedPiece], compiler: Expressions) -> Member:
    if isinstance(value, str):
        return compiler.template(value)
    if isinstance(value, CardPiece):
        return members(value, compiler)
    return tuple(_listed(piece, compiler) for piece in value)


def _listed(piece: ListedPiece, compiler: Expressions) -> Listed:
    items = None if piece.foreach is None else compiler.expression(piece.foreach)
    return Listed(members(piece, compiler), compiler.guard(piece.guard), items, piece.item)


def _written(model: Model) -> Iterator[tuple[str, str | CardPiece | Sequence[ListedPiece]]]:
    """Go through the keys of a piece that say what is shown, as they are written."""
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        if name not in _AROUND and value:
            yield field.alias or name, value


def placed_pieces(model: Model, path: Path) -> Iterator[tuple[Path, CardPiece]]:
    """Go through all that is in a card, with its place; what holds something else comes before it."""
    for key, value in _written(model):
        pieces = [((*path, key), value)] if isinstance(value, CardPiece) else []
        if not isinstance(value, str | CardPiece):
            pieces = [((*path, key, number), piece) for number, piece in enumerate(value)]
        for here, piece in pieces:
            yield here, piece
            yield from placed_pieces(piece, here)
