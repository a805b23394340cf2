"""An activity of a chat as text for a terminal: its words, its cards, and its buttons with what one types for each."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import count
from typing import Any

from msgspec import Struct

_ANSWERS = frozenset({"imBack", "postBack", "messageBack"})
_SHORTEST = 2
"Letters of a value that is typed as it is, such as a key."


class Shown(Struct, frozen=True):
    """What a terminal shows of an activity."""

    lines: Sequence[str]
    presses: Mapping[str, str]
    "What is written for whoever types the mark of a button."


def shown(activity: Mapping[str, Any], *, taken: Collection[str] = ()) -> Shown:
    """Return an activity as lines of text; `taken` are marks of buttons that still can be pressed."""
    if activity.get("type") != "message":
        return Shown((f"({activity.get('name') or activity.get('type')})",), {})
    lines = [text for text in (activity.get("text"),) if text]
    buttons: list[Mapping[str, Any]] = []
    for one in activity.get("attachments", ()):
        content = one.get("content") or {}
        lines += _card(content) if content else [f"(file {one.get('contentUrl') or one.get('name') or ''})"]
        buttons += _buttons(content)
    marks = _marks([str(one.get("value", "")) for one in buttons if one.get("type") in _ANSWERS], taken)
    presses: dict[str, str] = {}
    for button in buttons:
        title, value = str(button.get("title", "")), str(button.get("value", ""))
        if button.get("type") in _ANSWERS:
            mark = next(marks)
            presses[mark] = value
            lines.append(f"  [{mark}] {title}")
        else:
            lines.append(f"  ({title}: {value})")
    return Shown(lines, presses)


def _marks(values: Sequence[str], taken: Collection[str]) -> Iterator[str]:
    """Return what is typed for each button: its own value, if that is short, else a number that no other one has."""
    short = {value for value in values if 0 < len(value) <= _SHORTEST and value not in taken}
    numbers = (f"{number}" for number in count(1) if f"{number}" not in {*short, *taken})
    return (value if value in short else next(numbers) for value in values)


def _card(content: Mapping[str, Any]) -> Iterator[str]:
    yield from (str(content[name]) for name in ("title", "subtitle", "text") if content.get(name))
    yield from (f"  (picture {one.get('alt') or one.get('url')})" for one in content.get("images", ()))
    yield from (f"  (file {one.get('url')})" for one in content.get("media", ()))
    yield from (f"  {one.get('key')}: {one.get('value')}" for one in content.get("facts", ()))
    for one in content.get("items", ()):
        parts = (one.get("quantity"), one.get("title"), one.get("subtitle"), one.get("text"), one.get("price"))
        yield "  " + ", ".join(str(part) for part in parts if part)
    yield from (f"  {name}: {content[name]}" for name in ("tax", "vat", "total") if content.get(name))


def _buttons(content: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for one in (content, *content.get("items", ())):
        if one.get("tap"):
            yield {"title": one.get("title") or "open", **one["tap"]}
    yield from content.get("buttons", ())
