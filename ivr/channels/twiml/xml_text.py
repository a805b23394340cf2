"""A document as XML text. Whatever a text holds, it stays a text: it ends no element, and stops no reader."""

import re
from collections.abc import Iterator
from typing import Final

from msgspec import Struct
from msgspec.structs import fields

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"What no XML document may hold, be it escaped (XML 1.0, 2.2)."
_ESCAPED: Final = str.maketrans({
    "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;",
})  # fmt: skip
_HEAD: Final = '<?xml version="1.0" encoding="UTF-8"?>'

CONTENT: Final = "content"
"The field of an element that is between its tags; all others are attributes."


def xml_text(document: Struct) -> str:
    """Return a document with its head. An element is a struct with a tag; fields that are None are left out."""
    return _HEAD + "".join(_element(document))


def escaped(text: str) -> str:
    """Return a text as it can stand in an element or an attribute."""
    return _NO_XML.sub("", text).translate(_ESCAPED)


def _element(element: Struct) -> Iterator[str]:
    name = element.__struct_config__.tag
    yield f"<{name}{''.join(_attributes(element))}"
    content = getattr(element, CONTENT, "")
    parts = (content,) if isinstance(content, str | Struct) else content
    if not parts or parts == ("",):
        yield "/>"
        return
    yield ">"
    for part in parts:
        if isinstance(part, str):
            yield escaped(part)
        else:
            yield from _element(part)
    yield f"</{name}>"


def _attributes(element: Struct) -> Iterator[str]:
    for field in fields(element):
        value = getattr(element, field.name)
        if field.name != CONTENT and value is not None:
            yield f' {field.encode_name}="{escaped(_written(value))}"'


def _written(value: str | int | bool | tuple[str, ...]) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return " ".join(value) if isinstance(value, tuple) else str(value)
