"""Markup that cannot be broken out of: text is escaped where it becomes markup, and nowhere else.

What a caller said, an author named or a platform sent is plain `str` and comes out as text, whatever it holds. Only
`tag` and `join` make `Html`; the one way to let markup through as it is would be to call `Html` by hand.
"""

from collections.abc import Iterable
from html import escape
from typing import TypeAlias

VOID = frozenset({"meta", "link", "input", "br", "wbr", "hr"})
"Elements without content."
_BARE = {"circle", "rect", "path"}
"Of SVG: written short where there is no content."

_JOINING = "\n\t\u00a0\u200c\u200d\u202f"
"No ink of their own, and part of what people write."


class Html(str):
    """Markup that is safe to send."""

    __slots__ = ()


Child: TypeAlias = Html | str | None
"Content: markup, text that is yet to be escaped, or nothing."


def tag(name: str, *children: Child, **attributes: str | bool | None) -> Html:
    """Make an element. `class_` is `class`, `data_state` is `data-state`; None and False leave an attribute out."""
    fields = "".join(_attribute(key, value) for key, value in attributes.items())
    if name in VOID:
        return Html(f"<{name}{fields}>")
    if name in _BARE and not children:
        return Html(f"<{name}{fields}/>")
    return Html(f"<{name}{fields}>{join(children)}</{name}>")


def join(children: Iterable[Child]) -> Html:
    """Put content together; what is no markup is escaped."""
    return Html("".join(_text(child) for child in children))


def _text(child: Child) -> str:
    if child is None:
        return ""
    return child if isinstance(child, Html) else escape(_visible(child), quote=False)


def _attribute(key: str, value: str | bool | None) -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{escape(_visible(value))}"'


def _visible(text: str) -> str:
    """Show what has no place in a document, controls and halves of surrogates, as a replacement character.

    Direction marks are among them: a caller's text must not turn round what stands beside it.
    """
    return "".join(char if char.isprintable() or char in _JOINING else "\ufffd" for char in text)
