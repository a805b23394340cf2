"""XML to a tree whose nodes know their place. DTDs, entities of a document's own and deep nesting are refused."""

from xml.parsers import expat

from msgspec import Struct

MOST_BYTES = 64 * 1024
"Of a document: as much as the carrier reads."
MOST_DEPTH = 20
MOST_NODES = 2000


class Malformed(Exception):
    """It is not XML that is read here; `str()` says why."""

    def __init__(self, message: str, line: int, column: int) -> None:
        super().__init__(message)
        self.line = line
        self.column = column


class Node(Struct):
    """An element."""

    name: str
    attributes: dict[str, str]
    line: int
    "From 1."
    column: int
    "From 1."
    parts: list["Node | str"]
    "Text and elements, in order."

    @property
    def children(self) -> list["Node"]:
        """The elements in it."""
        return [part for part in self.parts if isinstance(part, Node)]

    @property
    def text(self) -> str:
        """All text in it and in its elements, with single spaces."""
        return " ".join(self._text().split())

    @property
    def own_text(self) -> str:
        """The text that stands directly in it."""
        return "".join(part for part in self.parts if isinstance(part, str)).strip()

    def _text(self) -> str:
        return "".join(part._text() if isinstance(part, Node) else part for part in self.parts)  # noqa: SLF001


def parsed(body: bytes) -> Node:
    """Return the root of a document; raise Malformed."""
    builder = _Builder()
    try:
        builder.parser.Parse(body, True)
    except expat.ExpatError as error:
        raise Malformed(expat.ErrorString(error.code), error.lineno, error.offset + 1) from error
    except (LookupError, ValueError) as error:  # an encoding that is not known, or not one of single bytes
        raise Malformed(f"the encoding cannot be read: {error}", 1, 1) from error
    if builder.root is None:
        raise Malformed("no element found", 1, 1)
    return builder.root


class _Builder:
    def __init__(self) -> None:
        self.root: Node | None = None
        self.parser = parser = expat.ParserCreate()
        self._open: list[Node] = []
        self._nodes = 0
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        # Without a DTD there are no entities but XML's own five, so nothing can be expanded without end.
        parser.StartDoctypeDeclHandler = self._doctype

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._nodes += 1
        if len(self._open) >= MOST_DEPTH or self._nodes > MOST_NODES:
            raise self._malformed("the document has too many elements")
        node = Node(name, attributes, self.parser.CurrentLineNumber, self.parser.CurrentColumnNumber + 1, [])
        if self._open:
            self._open[-1].parts.append(node)
        else:
            self.root = node
        self._open.append(node)

    def _end(self, _: str) -> None:
        self._open.pop()

    def _characters(self, text: str) -> None:
        self._open[-1].parts.append(text)

    def _doctype(self, *_: object) -> None:
        raise self._malformed("a document type is not allowed")

    def _malformed(self, message: str) -> Malformed:
        return Malformed(message, self.parser.CurrentLineNumber, self.parser.CurrentColumnNumber + 1)
