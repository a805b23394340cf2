"""Texts with markup: what is put into them stays text, and what a telephone says of them has none (LANGUAGE C9)."""

import re
from html import escape, unescape
from typing import Final, Literal, TypeAlias

Markup: TypeAlias = Literal["markdown", "xml"]

_MEANING: Final = re.compile(r"[\\`*_{}\[\]()#+\-.!|~<>&:]")
"Letters that mean something to some reader of markdown; each may have a backslash before it (CommonMark 2.4)."
_WITH_BACKSLASH: Final = re.compile(r"\\([!-/:-@\[-`{-~])")
_KEPT: Final = 0xE000
"Where letters that are text are kept while markup is taken away: code points that nothing uses."
_KEPT_LETTERS: Final = re.compile(f"[{chr(_KEPT)}-{chr(_KEPT + 127)}]")
_EMOTICON: Final = re.compile(r"<ss\b[^>]*>.*?</ss>", re.DOTALL | re.IGNORECASE)
_TAG: Final = re.compile(r"<[^<>]*>")
_LINK: Final = re.compile(r"!?\[([^\[\]]*)\]\([^()]*\)")
_RULE: Final = re.compile(r"^[ \t]*([-*_])([ \t]*\1){2,}[ \t]*$", re.MULTILINE)
_LINE_BEGINS: Final = re.compile(r"^[ \t]*(#{1,6}[ \t]+|>[ \t]?|[-*+][ \t]+)+", re.MULTILINE)
_EMPHASIS: Final = re.compile(r"\*+|~~|`+|(?<!\w)__?(?=\S)|(?<=\S)__?(?!\w)")


def as_text(value: str, markup: Markup) -> str:
    """Return what somebody has said, or a service has answered, so that it is read as it stands."""
    value = " ".join(value.split())
    return escape(value) if markup == "xml" else _MEANING.sub(r"\\\g<0>", value)


def without_markup(text: str, markup: Markup) -> str:
    """Return the words of a text, as they are spoken; a link is what stands on it, an emoticon is nothing."""
    if markup == "markdown":
        text = _WITH_BACKSLASH.sub(lambda found: chr(_KEPT + ord(found[1])), text)
    text = _TAG.sub("", _EMOTICON.sub("", text))
    if markup == "markdown":
        text = _EMPHASIS.sub("", _LINE_BEGINS.sub("", _RULE.sub("", _LINK.sub(r"\1", text))))
    return " ".join(_KEPT_LETTERS.sub(lambda found: chr(ord(found[0]) - _KEPT), unescape(text)).split())
