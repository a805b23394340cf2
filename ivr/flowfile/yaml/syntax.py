"""What stops the parser of YAML, said at the place where the author slipped: often lines before it.

A quote that is never closed ends at the next one, and a colon without its space makes one text of two lines; the
parser notices when the line after that makes no sense.
"""

import re
from typing import TypeAlias

from msgspec import Struct

from ivr.flowfile.actions import MODELS
from ivr.flowfile.finding import Edit
from ivr.flowfile.model import FlowFile, State
from ivr.flowfile.model_base import Model
from ivr.flowfile.model_parts import Branch
from ivr.flowfile.yaml.mistakes import (
    COLON_ALONE,
    Mistake,
    in_quotes,
    no_space,
    no_space_after_dash,
    quoted,
    runs_on,
    space_after_colon,
    star,
    unclosed,
)

Span: TypeAlias = tuple[int, int]
"Where something begins, and the place after its end."

LONGEST_SCANNED = 10_000
"Characters of a part of a file among which what was opened is looked for."
_WITH_KEYS: tuple[type[Model], ...] = (FlowFile, State, Branch, *MODELS)
KEYS = frozenset(key for model in _WITH_KEYS for key in model.words())
_CLOSING = {"[": "]", "{": "}"}
_STRUCTURE = re.compile(r"""(?<=[\s\[{,:])"(?:\\.|[^"\\])*"|(?<=[\s\[{,:])'(?:''|[^'])*'|(?:^|\s)\#[^\n]*|[\[\]{}]""")
"Texts in quotes, comments and brackets."
_STARTERS = {"@": "at", "`": "at", "%": "percent"}
_DASH_ALONE = re.compile(r"\s*-(?=[^\s-])")
_FIRST_WORD = re.compile(r"\s*(?:- +)?([\w.]+) ")
_WORD_ALONE = re.compile(r"\s*(?:- +)?([\w.-]+)\s*$")
_TWO_KEYS = re.compile(r"""\s*(\w+): +(["'])([^"']+)\2(?: *, *(["'])([^"']+)\4)+\s*$""")


class Stop(Struct, frozen=True):
    """Where the parser stopped, in its own words. Places are offsets."""

    context: str
    problem: str
    context_at: int
    at: int
    text: str
    "What was parsed."
    before: Span | None = None
    "The last text in quotes that ended before."
    first: int = 1
    "The line of the file in which the text begins."
    is_end: bool = True
    "False: the file goes on after the text."

    def line(self, at: int) -> Span:
        """Return the line in which a place is, without its end."""
        start = self.text.rfind("\n", 0, at) + 1
        end = self.text.find("\n", at)
        return start, len(self.text) if end < 0 else end


def of_syntax(stop: Stop) -> Mistake:
    """Return what the parser stumbled over."""
    return _earlier(stop) or _here(stop)


def without_colon(text: str) -> Mistake:
    """Return what is missing in lines that were to be a key with its value, and are a text."""
    start = len(text) - len(text.lstrip())
    torn = _torn(Stop("", "", start, start, text), start)
    return torn or Mistake("syntax", "This is not a key with a value.", "Write key: value.", start, start + 1)


# --- what happened before the place where it was noticed --------------------------------------------------------------


def _earlier(stop: Stop) -> Mistake | None:
    if len(stop.text) <= LONGEST_SCANNED:
        _, comment = _brackets(stop.text)
        if comment is not None:
            return comment
    if "scanning a quoted scalar" in stop.context and "end of stream" in stop.problem:
        return unclosed(stop.context_at, stop.text, stop.first)
    if stop.before is not None and stop.line(stop.before[1]) == stop.line(stop.at):
        mistake = runs_on(*stop.before, stop.text, stop.first)
        if mistake is not None:
            return mistake
    is_open = stop.text[stop.context_at : stop.context_at + 1] in _CLOSING and "but got ':'" in stop.problem
    if is_open and _begins_a_line(stop.text, stop.at):
        return _open_bracket(stop)
    if "could not find expected ':'" in stop.problem:
        return _torn(stop, stop.context_at)
    if "mapping values" in stop.problem and _begins_a_line(stop.text, stop.at):
        above = stop.text[: stop.line(stop.at)[0]].rstrip()
        return _torn(stop, len(above) - 1, before=stop.at) if above else None
    start, end = stop.line(stop.at)
    dash = _DASH_ALONE.match(stop.text, start, end) if "block collection" in stop.context else None
    return no_space_after_dash(dash.end() - 1) if dash else None


def _open_bracket(stop: Stop) -> Mistake:
    """Refuse a list or braces in whose midst the next key begins."""
    at = next((at for at in (_brackets(stop.text)[0], stop.context_at) if stop.text[at : at + 1] in _CLOSING), None)
    if at is None:
        message, advice = "A list or braces are never closed here.", "Is a closing bracket or brace missing?"
        return Mistake("syntax", message, advice, 0, 1)
    bracket, number = stop.text[at], stop.text.count("\n", 0, at) + stop.first
    message = f'The "{bracket}" opened in line {number} is never closed.'
    return Mistake("syntax", message, f'Write "{_CLOSING[bracket]}" where it ends.', at, at + 1)


def _brackets(text: str) -> tuple[int, Mistake | None]:
    """Find the innermost bracket that is never closed, and a comment in it that may hold the other one."""
    opened: list[int] = []
    for found in _STRUCTURE.finditer(text):
        mark = found[0]
        if mark in _CLOSING:
            opened.append(found.start())
        elif mark in _CLOSING.values() and opened:
            opened.pop()
        elif mark.lstrip().startswith("#") and opened and re.search(r"[\]}]", mark):
            return opened[-1], _comment_in_brackets(text, found)
    return (opened[-1] if opened else 0), None


def _comment_in_brackets(text: str, found: re.Match[str]) -> Mistake:
    at = found.start() + found[0].index("#")
    mend = Edit(at, at + 1, "x")
    if re.search(r"[:\[,]\s*$", text[:at]):
        fix = Edit(at, at + 1, '"#"') if re.match(r"#\s*[,\]}]", text[at:]) else None
        return Mistake("hash", '"#" without quotes begins a comment.', 'Write "#".', at, at + 1, mend=mend, fix=fix)
    said = found[0].strip()
    message = f'"{said}" was read as a comment.'
    return Mistake("hash", message, "Put the text in quotes.", at, at + len(said), mend=mend)


def _torn(stop: Stop, at: int, before: int | None = None) -> Mistake | None:
    """Find a colon or a dash without its space, or no colon at all, in the line of a place."""
    start, end = stop.line(at)
    line = stop.text[start:end]
    if found := COLON_ALONE.match(line.lstrip()):
        begin = start + len(line) - len(line.lstrip())
        space = space_after_colon(found, begin)
        return Mistake(*no_space(found), begin, begin + found.end(), mend=space, fix=space)
    if found := _DASH_ALONE.match(line):
        return no_space_after_dash(start + found.end() - 1)
    if (found := _WORD_ALONE.match(line)) and (before is None or _indent(stop, before) > _indent(stop, at)):
        message, advice = f'A colon is missing after "{found[1]}".', f'Write "{found[1]}:".'
        end = start + found.end(1)
        colon = Edit(end, end, ":")
        fix = colon if found[1] in KEYS else None
        return Mistake("syntax", message, advice, start + found.start(1), end, mend=colon, fix=fix)
    if before is None and (found := _FIRST_WORD.match(line)):
        advice = f'Write "{found[1]}: …", or indent it if it belongs to the text above.'
        end_of_key = start + found.end(1)
        mend = Edit(end_of_key, end_of_key, ":") if found[1] in KEYS else None
        return Mistake("syntax", "A colon is missing in this line.", advice, start + found.start(1), end, mend=mend)
    return None


def _indent(stop: Stop, at: int) -> int:
    start, end = stop.line(at)
    line = stop.text[start:end]
    return len(line) - len(line.lstrip())


# --- what is wrong in that place --------------------------------------------------------------------------------------


def _here(stop: Stop) -> Mistake:
    at, text = stop.at, stop.text
    char = text[at : at + 1]
    if "scanning an alias" in stop.context:
        return star(stop.context_at, at, text)
    if "cannot start any token" in stop.problem and char == "\t":
        space = Edit(at, at + 1, " ")
        message = "There is a tab where YAML needs spaces."
        return Mistake("tab", message, "Use spaces.", at, at + 1, mend=space, fix=space)
    if "cannot start any token" in stop.problem and char in _STARTERS:
        message = f'A text that begins with "{char}" must be in quotes.'
        mend, fix = Edit(at, at + 1, "x"), in_quotes(text, at)
        return Mistake(_STARTERS[char], message, quoted(text, at), at, at + 1, mend=mend, fix=fix)
    if (mistake := _after_quotes(stop)) is not None:
        return mistake
    if (bare := _bare_braces(text, at)) is not None:
        message = "A text with {{ }} here must be in quotes."
        advice = "Put the whole text in quotes, single ones if it holds others."
        mend, fix = Edit(bare, _after_braces(text, bare), "x"), in_quotes(text, bare)
        return Mistake("braces", message, advice, bare, bare + 2, mend=mend, fix=fix)
    is_colon = "mapping values" in stop.problem or "but got ':'" in stop.problem
    if is_colon and not _begins_a_line(text, at):
        message, mend, fix = 'A text with ": " in it must be in quotes.', Edit(at, at + 1, "x"), in_quotes(text, at)
        return Mistake("colon", message, quoted(text, at), at, at + 1, mend=mend, fix=fix)
    if ("end of stream" in stop.problem or "<stream end>" in stop.problem) and not stop.is_end:
        return _open_bracket(stop)
    if "end of stream" in stop.problem or "<stream end>" in stop.problem:
        message = "The file ends inside a list or braces that begin here."
        advice = "Is a closing bracket or brace missing?"
        return Mistake("syntax", message, advice, stop.context_at, stop.context_at + 1)
    return _general(stop.problem, char, at, text)


def _after_quotes(stop: Stop) -> Mistake | None:
    """Find what follows a text in quotes directly: a quote inside it has ended it, or a comma was to add another."""
    start, end = stop.line(stop.at)
    if found := _TWO_KEYS.match(stop.text[start:end]):
        texts = [text for _, text in re.findall(r"""(["'])([^"']+)\1""", found[0])]
        is_keys = found[1] == "terminators"
        advice = f'Write both as one text: "{"".join(texts)}".' if is_keys else "Put them in [ ], or in one text."
        message, mend = "Two texts with a comma between them are not one value.", Edit(stop.at, end, "")
        return Mistake("syntax", message, advice, stop.at, stop.at + 1, mend=mend)
    if stop.before is None or stop.text[stop.before[1] : stop.at].strip() or "'<scalar>'" not in stop.problem:
        return None
    inside = stop.before[1] - 1
    quote = stop.text[inside]
    if inside + 1 < stop.at and not stop.text[stop.at : end].rstrip().endswith(quote):
        return None  # a word after the text, and no quote that was to end it
    advice = "Use double quotes around it." if quote == "'" else "Use single quotes around it."
    mend = Edit(stop.before[0], max(stop.text.rfind(quote, 0, end) + 1, inside + 1), "x")
    said, other = stop.text[mend.start + 1 : mend.end - 1], "'" if quote == '"' else '"'
    is_plain = stop.text[mend.end - 1] == quote and not re.search(rf"[\n\\{other}]|{quote}{quote}", said)
    fix = Edit(mend.start, mend.end, f"{other}{said}{other}") if is_plain else None
    return Mistake("quote", f"The {quote} inside ends the text.", advice, inside, inside + 1, mend=mend, fix=fix)


def _general(problem: str, char: str, at: int, text: str) -> Mistake:
    if "found '<scalar>'" not in problem and re.search("block|sequence entries|mapping values", problem):
        start = text.rfind("\n", 0, at) + 1
        start += len(text[start:at]) - len(text[start:at].lstrip())
        message = "The indentation of this line does not match the lines above it."
        return Mistake("syntax", message, "Lines that belong together begin in the same column.", start, at + 1)
    mend = Edit(at, at + 1, "/") if "escape" in problem else None
    return Mistake("syntax", *_cause(problem, char), at, at + 1, mend=mend)


def _cause(problem: str, char: str) -> tuple[str, str]:
    if "found '<scalar>'" in problem:
        return "Unexpected text after a complete value.", "Put the whole text in quotes."
    if "escape" in problem:
        return "In double quotes, a backslash begins an escape.", "Write it twice, or use single quotes."
    if char in tuple("]},"):
        return f'Unexpected "{char}".', "Do the brackets and braces match?"
    return "This is not valid YAML.", "Put the text in quotes."


def _bare_braces(text: str, at: int) -> int | None:
    """Find `{{` outside of quotes in the line of a place, before it."""
    start = text.rfind("\n", 0, at) + 1
    line = re.sub(r"""(["'])(?:(?!\1).)*\1""", lambda quoted: "." * len(quoted.group()), text[start : at + 2])
    return start + line.index("{{") if "{{" in line else None


def _after_braces(text: str, at: int) -> int:
    """Find the end of the last expression that stands in a line after a place, or that of the line."""
    end = text.find("\n", at)
    line = text[at : len(text) if end < 0 else end]
    return at + (line.rindex("}}") + 2 if "}}" in line else len(line))


def _begins_a_line(text: str, at: int) -> bool:
    """Return whether only a key stands before a place, in its line."""
    return re.fullmatch(r"\s*[\w.]+", text[text.rfind("\n", 0, at) + 1 : at]) is not None
