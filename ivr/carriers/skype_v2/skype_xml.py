"""What a client of Skype shows of a message: its XML is read, and what is none is held against the bot."""

from xml.parsers import expat

from msgspec import Struct

_KNOWN = frozenset({"a", "at", "b", "i", "s", "u", "ss", "quote", "legacyquote"})
_ROOT = "content"


class ShownText(Struct, frozen=True):
    """What there is to read, and what is wrong with it."""

    text: str
    findings: tuple[str, ...] = ()


def shown(content: str) -> ShownText:
    """Return what a client shows; of what is no XML, the letters as they came."""
    texts: list[str] = []
    findings: list[str] = []

    def begins(name: str, attributes: dict[str, str]) -> None:
        if name != _ROOT and name not in _KNOWN:
            findings.append(f"Skype knows no <{name}>")
        if name == "ss" and not attributes.get("type"):
            findings.append("an emoticon says which it is")

    parser = expat.ParserCreate()
    parser.StartElementHandler = begins
    parser.CharacterDataHandler = texts.append
    try:
        parser.Parse(f"<{_ROOT}>{content}</{_ROOT}>", True)
    except expat.ExpatError as error:
        return ShownText(content, (f"this is no XML: {expat.ErrorString(error.code)}",))
    return ShownText("".join(texts), tuple(findings))
