"""Cases as files: found, read, written. A file is refused with its line where it is no case of this format."""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar, Union, get_args

import msgspec
from msgspec import NODEFAULT, Struct, defstruct, json
from msgspec.structs import FieldInfo, fields, replace

from ivr.engine.events import (
    CallAnswered,
    CallNotAnswered,
    CallPlaced,
    CallReceived,
    ChoiceMade,
    InputInvalid,
    InputTimedOut,
    KeysJudged,
    KeysPressed,
    SpeechHeard,
    TransferFailed,
    Transferred,
)
from ivr.smallfiles import read_head
from ivr.trace.case import (
    Answering,
    Beginning,
    ByService,
    Case,
    CaseError,
    CaseLine,
    Header,
    HungUp,
    LineFailed,
    PickedUp,
    Recorded,
    Share,
)
from ivr.trace.folders import CASES, SUFFIX

MAX_BYTES = 4 * 1024 * 1024
"A call has at most 2,000 turns (LANGUAGE C2); one of 200 takes about 100 KB."
MAX_LINES = 10_000

NAME: Final = r"^[a-z0-9][a-z0-9-]{0,59}\Z"
"What a case can be called, as a pattern; the same in words:"
NAME_RULE: Final = "Lowercase letters, digits and hyphens, at most 60 characters"

_MAY_BE_HUGE = re.compile(rb"[0-9]{10}|[0-9][eE]")
"Most lines have none; texts that look so are looked at, too."
_HUGE = 1e12
"Beyond any number that a service tells or a line needs; arithmetic with what is far beyond fails."

_HOW = "make one with `ivr calls export CALL --to NAME`, or with the browser phone after a call"

T = TypeVar("T")

# --- how the events of the engine are written: by a word, and without what only the call itself had a use for ---------

_WORDS: Mapping[type[Struct], str] = {
    CallReceived: "called",
    CallPlaced: "placed",
    CallAnswered: "picked up",
    CallNotAnswered: "not picked up",
    KeysPressed: "pressed",
    KeysJudged: "pressed something private",
    SpeechHeard: "said",
    ChoiceMade: "chose",
    InputTimedOut: "kept silent",
    InputInvalid: "answered wrong",
    Transferred: "connected",
    TransferFailed: "not connected",
}
_WITH_WORDS = {*get_args(Beginning), *get_args(PickedUp), *get_args(Answering)}
if missing := _WITH_WORDS - _WORDS.keys():  # else it would be written, and never read again
    raise TypeError(f"cases have no word for {missing}")
_NOT_WRITTEN = frozenset({"op", "at"})
_RANGES: Mapping[str, Any] = {"confidence": Share | None}
"Of numbers for which the engine's own classes have none."


def _form(event: type[Struct], word: str) -> type[Struct]:
    """Make the class that stands for an event in a file."""
    members: list[Any] = [
        (field.name, _RANGES.get(field.name, field.type), *(() if field.required else (_default(field),)))
        for field in fields(event)
        if field.name not in _NOT_WRITTEN
    ]
    return defstruct(word, members, tag=word, frozen=True, omit_defaults=True, forbid_unknown_fields=True)


def _default(field: FieldInfo) -> Any:
    """Return the default of a member as `defstruct` takes it."""
    return msgspec.field(default_factory=field.default_factory) if field.default is NODEFAULT else field.default


_FORMS = {event: _form(event, word) for event, word in _WORDS.items()}
_EVENTS: Mapping[type[Struct], type[Any]] = {form: event for event, form in _FORMS.items()}
_EVENT: Any = Union[(*_EVENTS, Recorded, HungUp, LineFailed, *get_args(ByService))]  # made of a table
_WRITTEN_LINE: Any = defstruct(
    "CaseLine", [("event", _EVENT)], bases=(CaseLine,), frozen=True, kw_only=True, forbid_unknown_fields=True
)

_HEADER = json.Decoder(Header)
_LINE: json.Decoder[CaseLine] = json.Decoder(_WRITTEN_LINE)
_ENCODE = json.Encoder().encode


def case_files(paths: Iterable[Path]) -> list[Path]:
    """List the cases among paths: files as they are, of folders every `*.jsonl` in them; raise CaseError for none."""
    places = list(paths)
    if CASES in places and not CASES.exists():
        raise CaseError(f"there are no cases yet, since the folder {CASES} does not exist; {_HOW}")
    found = [file for path in places for file in (sorted(path.rglob(f"*{SUFFIX}")) if path.is_dir() else [path])]
    if not found:
        raise CaseError(f"no case ({SUFFIX}) found in {', '.join(map(str, places))}; {_HOW}")
    return list(dict.fromkeys(found))


def read_case(file: Path) -> Case:
    """Read a case; raise CaseError."""
    try:
        data = read_head(file, MAX_BYTES + 1)
    except OSError as error:
        raise CaseError(f"{file} cannot be read: {error.strerror}") from error
    return loads(data, str(file))


def keep_case(case: Case, name: str, folder: Path) -> Path:
    """Write a new case into its flow's folder below `folder`, made if need be; raise CaseError.

    A case that is there already is left alone, and of one that cannot be written whole nothing is left.
    """
    file = folder / case.header.flow / f"{name}{SUFFIX}"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CaseError(f"{file.parent} cannot be created: {error.strerror}") from error
    try:
        with file.open("xb") as opened, _nothing_left(file):
            opened.write(dumps(case))
            opened.flush()
    except FileExistsError as error:
        raise CaseError(f"The case {file} already exists; choose another name.") from error
    except OSError as error:
        raise CaseError(f"{file} cannot be written: {error.strerror}") from error
    return file


@contextmanager
def _nothing_left(file: Path) -> Iterator[None]:
    """Delete a file that cannot be written: half a case would only be in the way of the next try."""
    try:
        yield
    except OSError:
        file.unlink()
        raise


def dumps(case: Case) -> bytes:
    """Return the file of a case; the same case, the same bytes."""
    parts = (case.header, *written_lines(case))
    return b"".join(json.format(_ENCODE(part), indent=0) + b"\n" for part in parts)


def written_lines(case: Case) -> tuple[Struct, ...]:
    """Return the lines of a case as its file has them."""
    return tuple(replace(line, event=_written(line.event)) for line in case.lines)


def _written(event: Struct) -> Struct:
    form = _FORMS.get(type(event))
    return event if form is None else form(*(getattr(event, name) for name in form.__struct_fields__))


def _read_line(row: bytes, place: str) -> CaseLine:
    line = _read(_LINE, row, place)
    members = {name: getattr(line, name) for name in CaseLine.__struct_fields__}
    return CaseLine(**{**members, "event": _event(line.event)})


def _event(written: Struct) -> Any:
    """Return the event of the engine that stands in a file, if it is one; which operation it answers is left open."""
    event = _EVENTS.get(type(written))
    if event is None:
        return written
    members = {field.name: getattr(written, field.name) for field in fields(written)}
    return event("", **members) if "op" in event.__struct_fields__ else event(**members)


def loads(data: bytes, name: str) -> Case:
    """Read a case; raise CaseError that names the place. `name` is how the file is called."""
    if len(data) > MAX_BYTES:
        raise CaseError(f"{name}: a case has at most {MAX_BYTES} bytes, this file has {len(data)}")
    rows = data.split(b"\n")
    if rows[-1] == b"":
        rows.pop()
    if not rows:
        raise CaseError(f"{name}: the file is empty")
    if len(rows) > MAX_LINES:
        raise CaseError(f"{name}: a case has at most {MAX_LINES} lines, this file has {len(rows)}")
    header = _read(_HEADER, rows[0], f"{name}:1")
    lines = tuple(_read_line(row, f"{name}:{number}") for number, row in enumerate(rows[1:], 2))
    _check_order(lines, header, name)
    return Case(header, lines)


def _check_order(lines: tuple[CaseLine, ...], header: Header, name: str) -> None:
    if header.started.tzinfo is None:
        raise CaseError(f"{name}:1: the start time of the call needs a UTC offset, such as Z")
    if not 1970 <= header.started.year < 9000:
        raise CaseError(f"{name}:1: the call cannot have started in the year {header.started.year}")
    if not lines or not isinstance(lines[0].event, Beginning):
        raise CaseError(f'{name}:2: a case must begin with the event "called" or "placed"')
    before = 0.0
    for number, line in enumerate(lines, 2):
        if not before <= line.at < 1e9:
            raise CaseError(f"{name}:{number}: at {line.at:g} s, after a line at {before:g} s")
        if number > 2 and isinstance(line.event, Beginning):
            raise CaseError(f'{name}:{number}: a second "{_WORDS[type(line.event)]}"')
        before = line.at


def _read(decoder: json.Decoder[T], row: bytes, place: str) -> T:
    try:
        found = decoder.decode(row)
        if _MAY_BE_HUGE.search(row):
            _refuse_huge(json.decode(row), place)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise CaseError(f"{place}: {error}") from error
    return found


def _refuse_huge(tree: object, place: str) -> None:
    """Look at every number of a line, those too that have no range of their own; raise CaseError."""
    match tree:
        case dict():
            for item in tree.values():
                _refuse_huge(item, place)
        case list():
            for item in tree:
                _refuse_huge(item, place)
        case int() | float() if not -_HUGE < tree < _HUGE:
            raise CaseError(f"{place}: {str(tree)[:12]}… is too large a number for a case")
