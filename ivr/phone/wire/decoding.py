"""A bot's reply, read as tolerantly as the vendor's classes read one (protocol 3, 5), into the types of the wire.

The phone's own reader: of the bot's codec it shares those types alone, so that a mistake of either shows in the other.
Members' names are folded while the JSON is parsed. Then each object is asked for the members that it may have, and what
is not asked for is ignored. Whether a readable workflow is also allowed is decided by `rulebook`.
"""

import json
import re
from codecs import BOM_UTF8
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, Generic, NoReturn, TypeAlias, TypeVar, get_args

import msgspec
from msgspec import Struct

from ivr.channels.skype import wire
from ivr.engine.commands import FreeSpeech
from ivr.engine.events import PHONE_KEYS
from ivr.errors import IvrError

T = TypeVar("T")
Reader: TypeAlias = Callable[[object], T]
"Gives the value that is meant, or raises Unreadable; never gets a null."

_TWICE: Final = object()
"Stands for a member that is given twice: it is ambiguous, which matters only if it is asked for."
_DECIMAL = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_FLAGS = {"true": True, "false": False}
# The vendor writes a language's tag, and reads it, the name that it has in code, or its number. Any other tag is ours
# (protocol 24).
_CULTURES = {"unknown": "unknown", "0": "unknown", "en-us": wire.LANGUAGE, "enus": wire.LANGUAGE, "1": wire.LANGUAGE}
_TAG = re.compile(r"[a-z]{2,3}(-[a-z0-9]{1,8}){0,7}", re.IGNORECASE | re.ASCII)
_UNKNOWN = "unknown"
MOST_KEYS: Final = 20
"Of a choice of several keys (protocol 25)."


class Unreadable(IvrError):
    """Something is not what it has to be."""

    def __init__(self, problem: str, at: str = "") -> None:
        super().__init__(problem)
        self._problem = problem
        self._at = at

    def inside(self, place: str) -> "Unreadable":
        """Return the same error, seen from further out."""
        return Unreadable(self._problem, place + self._at)

    def __str__(self) -> str:
        return f"{self._at.removeprefix('.') or '$'}: {self._problem}"


class Remains(Struct, frozen=True):
    """What a workflow says of itself even if the rest of it cannot be read; None: that neither."""

    op: str | None
    "The first id of an action."
    callback: str | None
    app_state: str | None


def parse(body: bytes) -> object:
    """Return the JSON of a reply, all members' names in lower case; raise Unreadable."""
    try:
        text = body.removeprefix(BOM_UTF8).decode("utf-8", "surrogatepass")
        return json.loads(text, object_pairs_hook=_folded, parse_constant=_no_number)
    except RecursionError as exc:
        raise Unreadable("the JSON is nested too deep") from exc
    except ValueError as exc:
        raise Unreadable(f"not JSON: {exc}") from exc


def read(tree: object, *, transfer: bool = False, questions: bool = False) -> wire.Workflow:
    """Return what `parse` gave as a workflow; raise Unreadable with the first place that is none.

    `transfer`: the action was offered to the bot (protocol 23); else there is none of this name. `questions`: what is
    added to `recognize` was offered (25); else it is passed over, and a key is one key.
    """
    return _WORKFLOWS[transfer, questions](tree)


def remains(tree: object) -> Remains:
    """Return what is left of a workflow that is refused, whatever is wrong with the rest."""
    actions = _member(tree, "actions")
    ops = [_as_text(_member(action, "operation_id")) for action in (actions if isinstance(actions, list) else ())]
    return Remains(
        op=next((op for op in ops if op and op.strip()), None),
        callback=_as_text(_member(_member(tree, "links"), "callback")),
        app_state=_as_text(_member(tree, "app_state")),
    )


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is not a number")


def _folded(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members: dict[str, object] = {}
    for name, value in pairs:
        folded = name.lower()
        members[folded] = _TWICE if folded in members else value
    return members


def _member(value: object, name: str) -> object:
    """Look for a member by its name in `wire`: the wire's is the same without underscores, in whatever case."""
    return value.get(name.replace("_", "")) if isinstance(value, dict) else None


def _as_text(value: object) -> str | None:
    with suppress(Unreadable):
        return _text(value)
    return None


# --- values ----------------------------------------------------------------------------------------------------------


def _text(value: object) -> str:
    if type(value) is int:
        return str(value)
    if not isinstance(value, str):
        raise Unreadable("must be text")
    # Half of a character, of a text that was cut in the midst of an emoji, is what .NET makes of it.
    return value if value.isascii() else value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _number(value: object) -> float:
    if isinstance(value, str) and _DECIMAL.fullmatch(value):
        return float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Unreadable("must be a number")
    return value


def _whole(value: object) -> int:
    number = _number(value)
    if not abs(number) < 2**32:
        raise Unreadable("is too large")
    return round(number)  # fractions are accepted; .NET rounds like this, a half to the even side


def _flag(value: object) -> bool:
    flag = _FLAGS.get(value.lower()) if isinstance(value, str) else value
    if not isinstance(flag, bool):
        raise Unreadable("must be true or false")
    return flag


def _key(value: object) -> str:
    if (
        not isinstance(value, str) or value not in PHONE_KEYS
    ):  # a number is not accepted, unlike elsewhere (protocol 5.5)
        raise Unreadable("must be one of the keys 0-9, *, #, A-D, as text")
    return value


def _several_keys(value: object) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= MOST_KEYS or not PHONE_KEYS.issuperset(value):
        raise Unreadable(f"must be 1 to {MOST_KEYS} of the keys 0-9, *, #, A-D, as text")
    return value


def _word_of(words: Any) -> Reader[Any]:
    """Make the reader of an enumeration of `wire`: in any case, or by number; all other words are one (protocol 7)."""
    in_order: tuple[str, ...] = get_args(words)
    known = {word.lower(): word for word in in_order} | {str(number): word for number, word in enumerate(in_order)}

    def read_word(value: object) -> str:
        if isinstance(value, dict | list):
            raise Unreadable("must be a word")
        return known.get(str(value).lower(), _UNKNOWN)

    return read_word


def _word_among(words: Any) -> Reader[Any]:
    """Make the reader of one of a few words, in any case."""
    known = {word.lower(): word for word in get_args(words)}

    def read_word(value: object) -> str:
        if not isinstance(value, str) or value.lower() not in known:
            raise Unreadable(f"must be {' or '.join(known)}")
        return str(known[value.lower()])

    return read_word


def _culture(value: object) -> str:
    if isinstance(value, dict | list):
        raise Unreadable("must be a word")
    known = _CULTURES.get(str(value).lower())
    if known is not None:
        return known
    return value if isinstance(value, str) and _TAG.fullmatch(value) else _UNKNOWN


def _list_of(read_item: Reader[T]) -> Reader[tuple[T, ...]]:
    """Make the reader of a list. Nothing in it may be null."""

    def read_list(value: object) -> tuple[T, ...]:
        if not isinstance(value, list):
            raise Unreadable("must be a list")
        return tuple(_at(f"[{index}]", read_item, item) for index, item in enumerate(value))

    return read_list


_LIST_OF_KEYS = _list_of(_key)


def _keys(value: object) -> tuple[str, ...]:
    """Read a list of keys, which the vendor's own demo writes as one text (protocol 5.5)."""
    return _LIST_OF_KEYS(list(value) if isinstance(value, str) else value)


def _at(place: str, read_value: Reader[T], value: object) -> T:
    if value is None:
        raise Unreadable("is missing", place)
    if value is _TWICE:
        raise Unreadable("is given twice", place)
    try:
        return read_value(value)
    except Unreadable as error:
        raise error.inside(place) from None


class _Object(Generic[T]):
    """Reads an object: its members and how each is read. What `wire` has no default for is needed; null is absent."""

    def __init__(self, shape: type[T], **members: Reader[Any]) -> None:
        fields = {field.name: field for field in msgspec.structs.fields(shape)}  # type: ignore[arg-type]  # any Struct
        self.shape = shape
        self._members = [
            (name, fields[name].encode_name, fields[name].encode_name.lower(), fields[name].required, read_member)
            for name, read_member in members.items()
        ]

    def __call__(self, value: object) -> T:
        if not isinstance(value, dict):
            raise Unreadable("must be an object")
        found = {}
        for name, spelled, folded, needed, read_member in self._members:
            member = value.get(folded)
            if needed or member is not None:
                found[name] = _at(f".{spelled}", read_member, member)
        return self.shape(**found)


class _OneOf:
    """Reads one of several actions. Their names are the only words that have to be spelled exactly (protocol 5.1)."""

    def __init__(self, *readers: _Object[Any]) -> None:
        self._by_word = {reader.shape.__struct_config__.tag: reader for reader in readers}
        self._named_by = str(readers[0].shape.__struct_config__.tag_field)

    def __call__(self, value: object) -> Any:
        if not isinstance(value, dict):
            raise Unreadable("must be an object")
        word = value.get(self._named_by)
        if not isinstance(word, str) or word not in self._by_word:
            raise Unreadable(f"must be {' or '.join(map(str, self._by_word))}", f".{self._named_by}")
        return self._by_word[word](value)


# --- what each object may have (protocol 5) --------------------------------------------------------------------------

_PROMPT = _Object(
    wire.Prompt,
    value=_text,
    file_uri=_text,
    silence_length_in_milliseconds=_whole,
    voice=_word_of(wire.VoiceGender),
    culture=_culture,
    emphasize=_flag,
    say_as=_word_of(wire.SayAs),
)
_PLAY_PROMPT = _Object(wire.PlayPrompt, operation_id=_text, prompts=_list_of(_PROMPT))
_CHOICE = _Object(wire.RecognitionOption, name=_text, speech_variation=_list_of(_text), dtmf_variation=_key)
_COLLECT_DIGITS = _Object(wire.CollectDigits, max_number_of_dtmfs=_whole, stop_tones=_keys)
_LONG_CHOICE = _Object(
    wire.RecognitionOption, name=_text, speech_variation=_list_of(_text), dtmf_variation=_several_keys
)
_QUESTION: dict[str, Reader[Any]] = {
    "operation_id": _text,
    "play_prompt": _OneOf(_PLAY_PROMPT),
    "barge_in_allowed": _flag,
    "culture": _culture,
    "initial_silence_timeout_in_seconds": _number,
    "interdigit_timeout_in_seconds": _number,
    "collect_digits": _COLLECT_DIGITS,
}
_RECOGNIZE = _Object(wire.Recognize, **_QUESTION, choices=_list_of(_CHOICE))
_RECOGNIZE_MORE = _Object(
    wire.Recognize,
    **_QUESTION,
    choices=_list_of(_LONG_CHOICE),
    barge_in_by_speech_allowed=_flag,
    type_ahead_allowed=_flag,
    free_speech=_word_among(FreeSpeech),
    stop_tones=_keys,
)
_RECORD = _Object(
    wire.Record,
    operation_id=_text,
    play_prompt=_OneOf(_PLAY_PROMPT),
    max_duration_in_seconds=_number,
    initial_silence_timeout_in_seconds=_number,
    max_silence_timeout_in_seconds=_number,
    recording_format=_word_of(wire.RecordingFormat),
    play_beep=_flag,
    stop_tones=_keys,
)
_ACTIONS = (
    _Object(wire.Answer, operation_id=_text, accept_modality_types=_list_of(_word_of(wire.Modality))),
    _Object(wire.Reject, operation_id=_text),
    _Object(wire.Hangup, operation_id=_text),
    _PLAY_PROMPT,
)
_TRANSFER = _Object(wire.Transfer, operation_id=_text, target=_text, timeout_in_seconds=_number, whisper=_text)


def _workflow_of(*actions: _Object[Any]) -> _Object[wire.Workflow]:
    return _Object(
        wire.Workflow,
        links=_Object(wire.WorkflowLinks, callback=_text, notification=_text),
        actions=_list_of(_OneOf(*actions)),
        app_state=_text,
        notification_subscriptions=_list_of(_word_of(wire.NotificationType)),
    )


_WORKFLOWS = {
    (transfer, questions): _workflow_of(
        *_ACTIONS, _RECOGNIZE_MORE if questions else _RECOGNIZE, _RECORD, *([_TRANSFER] if transfer else [])
    )
    for transfer in (False, True)
    for questions in (False, True)
}
