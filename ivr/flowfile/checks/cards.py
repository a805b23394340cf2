"""Checks of cards: what they say on a telephone, what their buttons open, and what those that answer mean (C9)."""

from collections.abc import Iterator

from ivr.engine.cards import ANSWERING, SHOWING, fits, is_address
from ivr.engine.expressions import tree
from ivr.engine.expressions.compile import Expression
from ivr.engine.naming import normal
from ivr.engine.utterance import as_heard
from ivr.flowfile.actions.menu import Menu
from ivr.flowfile.card_parts import CardPart, CardPiece, MediumCardPart, SignInCardPart, TapPiece
from ivr.flowfile.card_pieces import placed_pieces
from ivr.flowfile.checks.declaration import Check, Environment
from ivr.flowfile.document import Document
from ivr.flowfile.finding import Finding, Text
from ivr.flowfile.model_base import PUT_IN
from ivr.flowfile.model_parts import CarouselPart, ForeachPart
from ivr.flowfile.prompts import Placed, all_prompts, of_action, parts_of
from ivr.flowfile.source import Path
from ivr.flowfile.spoken_forms import every_form
from ivr.flowfile.texts import compiled

CARD = Check(
    "card",
    "error",
    "A card cannot be shown as it is written: an address that is not https, or something else among cards.",
    group="Dialogue",
    bad="""
start:
  say: {card: hero, text: All about your bill., buttons: [{type: openUrl, title: Open, value: "http://x.example"}]}
  next: bye
""",
    good="""
start:
  say: {card: hero, text: All about your bill., buttons: [{type: openUrl, title: Open, value: "https://x.example"}]}
  next: bye
""",
)

CARD_TEXT = Check(
    "card-text",
    "error",
    "A card has no `text`, so that nothing of it is heard on a telephone.",
    group="Dialogue",
    bad="""
start: {say: {card: hero, title: Flight OS 123}, next: bye}
""",
    good="""
start: {say: {card: hero, title: Flight OS 123, text: "Flight OS 123 leaves at ten."}, next: bye}
""",
)

CARD_ANSWER = Check(
    "card-answer",
    "warning",
    "A button in a menu's prompt sends what none of the choices is called, so that pressing it is a wrong answer.",
    group="Dialogue",
    bad="""
start:
  menu:
    prompt: [For sales press 1., {card: hero, text: Or press a button., buttons: [{title: Sales, value: "9"}]}]
    choices: {sales: {dtmf: "1"}}
  next: bye
""",
    good="""
start:
  menu:
    prompt: [For sales press 1., {card: hero, text: Or press a button., buttons: [{title: Sales, value: "1"}]}]
    choices: {sales: {dtmf: "1"}}
  next: bye
""",
)


@CARD.message
def _no_address(written: str) -> Text:
    return f'"{written}" is not an https address.', "Write one that begins with https://."


@CARD.message
def _nobody_to_call(written: str) -> Text:
    return f'"{written}" cannot be called.', "Write a number, tel:+43123456, or skype: and a name."


@CARD.message
def _opens_nothing(kind: str) -> Text:
    return f'A button of the type {kind} needs a "value".', "Write what it opens."


@CARD.message
def _no_card() -> Text:
    return "Only cards can be in a carousel.", "Write what is said before it, as a part of its own."


@CARD_TEXT.message
def _says_nothing() -> Text:
    advice = 'Add "text", which is then spoken; or guard: call.channel == "chat", and say it in another part.'
    return "On a telephone nothing is heard of this card.", advice


@CARD_ANSWER.message
def _answers_nothing(written: str) -> Text:
    return f'No choice of this menu is "{written}".', "Write the key, the name or a spoken form of one."


def _cards(document: Document) -> Iterator[tuple[Placed, CardPart]]:
    for prompt in all_prompts(document):
        for placed in parts_of(document, prompt):
            if isinstance(placed.part, CardPart):
                yield placed, placed.part


@CARD.finder
def addresses(document: Document) -> Iterator[Finding]:
    """Find addresses that no card can have; one that is put in is looked at in the call."""
    for placed, card in _cards(document):
        if isinstance(card, SignInCardPart | MediumCardPart):
            yield from _address(document, card.url, (*placed.path, "url"))
        for path, piece in placed_pieces(card, placed.path):
            yield from _in_piece(document, piece, path)


def _in_piece(document: Document, piece: CardPiece, path: Path) -> Iterator[Finding]:
    for key in ("url", "image"):
        written = getattr(piece, key, None)
        if isinstance(written, str):
            yield from _address(document, written, (*path, key))
    if not isinstance(piece, TapPiece) or piece.type in ANSWERING:
        return
    value = piece.value
    if value is None:
        yield document.finding(_opens_nothing(piece.type), path)
    elif piece.type != "call":
        yield from _address(document, value, (*path, "value"))
    elif not _is_put_in(value) and not fits(piece.type, value):
        yield document.finding(_nobody_to_call(value), (*path, "value"))


def _address(document: Document, written: str, path: Path) -> Iterator[Finding]:
    if not _is_put_in(written) and not is_address(written):
        yield document.finding(_no_address(written), path)


def _is_put_in(written: str) -> bool:
    """Return whether a text begins with an expression, so that only a call knows its beginning."""
    return PUT_IN.match(written) is not None


@CARD.finder
def only_cards(document: Document) -> Iterator[Finding]:
    """Find what is in a carousel and is no card."""
    for prompt in all_prompts(document):
        for placed in parts_of(document, prompt):
            inside = placed.part.carousel if isinstance(placed.part, CarouselPart) else ()
            for number, part in enumerate(inside):
                several = part.text if isinstance(part, ForeachPart) else [part]
                if not all(hasattr(one, "card") or hasattr(one, "ref") or hasattr(one, "prompts") for one in several):
                    yield document.finding(_no_card(), (*placed.path, "carousel", number))


@CARD_TEXT.environment_finder
def silent_cards(document: Document, environment: Environment) -> Iterator[Finding]:
    """Find cards of which nothing is heard, unless the flow is for lines alone that show them."""
    if environment.lines and all(can.writes for can in environment.lines.values()):
        return
    for placed, card in _cards(document):
        guards = (*placed.around.guards, *([card.guard] if card.guard else []))
        if card.text is None and not any(map(_is_for_chats, guards)):
            yield document.finding(_says_nothing(), placed.path)


def _is_for_chats(guard: str) -> bool:
    """Return whether a guard is true in chats alone."""
    expression = compiled(guard, bare=True)
    return isinstance(expression, Expression) and _asks_for_chat(expression.node)


def _asks_for_chat(node: tree.Node) -> bool:
    match node:
        case tree.Both(left=left, right=right):
            return _asks_for_chat(left) or _asks_for_chat(right)
        case tree.Comparison(first=first, rest=(tree.Compared(comparator="==", value=second),)):
            sides = (first, second)
            is_channel = any(tree.path(side) == "call.channel" for side in sides)
            return is_channel and any(isinstance(side, tree.Constant) and side.value in SHOWING for side in sides)
    return False


@CARD_ANSWER.finder
def answers(document: Document) -> Iterator[Finding]:
    """Find buttons in menus that mean none of the choices."""
    for name, state in document.states():
        menu = state.menu
        if menu is None or any(choice.foreach for choice in menu.choices.values()):
            continue
        meant = _meant(document, menu)
        for prompt in of_action(name, state):
            for placed in parts_of(document, prompt):
                if isinstance(placed.part, CardPart):
                    for path, piece in placed_pieces(placed.part, placed.path):
                        yield from _no_answer(document, piece, path, meant)


def _meant(document: Document, menu: Menu) -> frozenset[str]:
    known = {**(document.model.commands if menu.commands else {}), **menu.choices}
    words = {normal(name) for name in known}
    words |= {choice.dtmf for choice in known.values() if choice.dtmf}
    words |= {as_heard(form) for choice in known.values() for form in every_form(choice.speech)}
    return frozenset(map(str.casefold, words))


def _no_answer(document: Document, piece: CardPiece, path: Path, meant: frozenset[str]) -> Iterator[Finding]:
    if not isinstance(piece, TapPiece) or piece.type not in ANSWERING or not document.is_sound(*path):
        return
    sent = (piece.text if piece.type == "messageBack" else None) or piece.value or piece.title
    if not PUT_IN.search(sent) and {sent.casefold(), as_heard(sent).casefold()}.isdisjoint(meant):
        yield document.finding(_answers_nothing(sent), path)
