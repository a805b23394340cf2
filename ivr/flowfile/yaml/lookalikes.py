"""Characters that look like others: what editors, chats and web pages put in place of quotes, spaces and dashes."""

import re
from collections.abc import Iterator
from unicodedata import name

from msgspec.structs import replace

from ivr.flowfile.finding import Edit, Finding
from ivr.flowfile.source import Source
from ivr.flowfile.yaml.mistakes import Mistake

MEANT = {
    **dict.fromkeys("\u201c\u201d\u201e\u201f\uff02\u00ab\u00bb", '"'),
    **dict.fromkeys("\u2018\u2019\u201a\u201b\uff07\u00b4", "'"),
    **dict.fromkeys(
        "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000", " "
    ),
    **dict.fromkeys("\u200b\u200c\u200d\u2060\ufeff\u00ad", ""),
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-"),
    **{chr(code): chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)},
}
"What each of them is meant for; nothing, where it cannot be seen at all."
_ANY = re.compile(f"[{re.escape(''.join(MEANT))}]")
_QUOTE = re.compile("[" + "".join(char for char, meant in MEANT.items() if meant in {"'", '"'}) + "]")
_SPACES = "".join(char for char, meant in MEANT.items() if meant in {" ", ""})
_INDENTED = re.compile(rf"^[ \t]*[{_SPACES}][ \t{_SPACES}]*", re.MULTILINE)
_COLON = re.compile(r"(?:^|[{,])[ \t]*(?:- +)?[\w.]+(\uff1a) ?", re.MULTILINE)


def in_structure(text: str) -> Iterator[tuple[Mistake, Edit]]:
    """Go through those that stand where YAML's own characters belong, each with what to put there."""
    found: list[tuple[int, Edit]] = []
    for white in _INDENTED.finditer(text):
        at = white.start() + next(number for number, char in enumerate(white[0]) if char in MEANT)
        meant = "".join(MEANT.get(char, char) for char in white[0])
        found.append((at, Edit(*white.span(), meant)))
    found += [(colon.start(1), Edit(colon.start(1), colon.end(), ": ")) for colon in _COLON.finditer(text)]
    for at, edit in sorted(found, key=lambda one: one[1].start):
        message = f"This is {_called(text[at])}."
        yield Mistake("syntax", message, _advice(text[at]), at, at + 1, fix=edit), edit


def with_lookalike(source: Source, finding: Finding) -> Finding:
    """Return a finding with the first of them in what it marks, if it is an error: they are hard to see."""
    start = finding.column - 1
    found = _ANY.search(finding.excerpt, start, start + finding.length) if finding.is_error else None
    if found is None and finding.is_error and _INDENTED.match(finding.excerpt):
        found = _ANY.search(finding.excerpt)  # what the line is indented with belongs to its key
    if found is None or "U+" in finding.message:
        return finding
    message = f"{finding.message} Column {found.start() + 1} contains {_called(found[0])}."
    if finding.file != source.file:  # one that is included: it is not changed
        return replace(finding, message=message, suggestion=_advice(found[0]))
    start = source.offset(finding.line)
    fix = _plain(finding.excerpt, found.start())
    in_file = Edit(start + fix.start, start + fix.end, fix.text)
    return replace(finding, message=message, suggestion=_advice(found[0]), fix=in_file)


def _plain(line: str, at: int) -> Edit:
    """Return the edit that writes what the character at a place is meant for; of a quote, its other half too."""
    closing = _QUOTE.search(line, at + 1) if _QUOTE.match(line, at) else None
    end = closing.end() if closing else at + 1
    return Edit(
        at, end, f"{MEANT[line[at]]}{line[at + 1 : end - 1]}{MEANT[closing[0]]}" if closing else MEANT[line[at]]
    )


def _called(char: str) -> str:
    words = name(char, "a character").lower()
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words} (U+{ord(char):04X})"


def _advice(char: str) -> str:
    meant = MEANT[char]
    if not meant:
        return "Delete it."
    return "Write a plain space." if meant == " " else f"Write a plain {meant}"
