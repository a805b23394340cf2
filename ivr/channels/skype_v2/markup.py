"""Skype's XML, in which messages are written: what is text is escaped, and what people write is read without it."""

import re
from html import unescape
from typing import Final

_TAGS: Final = re.compile(r"</?(?:a|at|b|i|s|u|ss|quote|legacyquote)(?:\s[^<>]*)?/?>")
"Tags that Skype knows; anything else in angle brackets was written by somebody."
_ENTITIES: Final = re.compile(r"&(?:amp|lt|gt|quot|apos|#[0-9]{1,7}|#x[0-9A-Fa-f]{1,6});")


def escaped(text: str) -> str:
    """Return a text as XML that shows it letter by letter."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def read(content: str) -> str:
    """Return what there is to read of a message; of an emoticon its letters. What is no XML is read as it stands."""
    return _ENTITIES.sub(lambda found: unescape(found[0]), _TAGS.sub("", content))
