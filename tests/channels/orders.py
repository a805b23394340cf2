"""Whatever the engine can order of a line, for property tests of channels: hostile texts, all kinds of questions."""

from typing import get_args

from hypothesis import strategies as st
from msgspec.structs import replace

from ivr.engine.cards import Button, ButtonType, CardFace, CardKind, Fact, Picture, ReceiptItem
from ivr.engine.commands import (
    Answer,
    Audio,
    Card,
    Choice,
    DigitInput,
    HangUp,
    LineCommand,
    Play,
    Recognize,
    Record,
    Recorded,
    Reject,
    Silence,
    Text,
    Transfer,
)

WORDS = st.text(st.characters(exclude_categories=[]), max_size=40) | st.builds(
    lambda text, times: text * times, st.text(min_size=1, max_size=12), st.integers(200, 1500)
)
"Of any letters, halves of pairs and controls among them."
LANGUAGES = st.sampled_from(["en-US", "en", "de", "de-AT", "es-MX", "fi-FI", "zh-CN", "tlh"])
SAY_AS = st.sampled_from([
    "telephone", "letters", "cardinal", "ordinal", "name", "phoneticName", "time12", "time24", "yearMonthDay",
    "monthDayYear", "dayMonthYear", "yearMonth", "monthYear", "monthDay", "dayMonth", "day", "month", "year",
])  # fmt: skip
MAYBE = st.none() | WORDS
ADDRESSES = st.just("https://files.example/a.png?a=1&b=<2>")
BUTTONS = st.builds(Button, WORDS, WORDS, st.sampled_from(get_args(ButtonType)), MAYBE, MAYBE, st.none() | ADDRESSES)
PICTURES = st.builds(Picture, ADDRESSES, MAYBE, st.none() | BUTTONS)
ITEMS = st.builds(ReceiptItem, WORDS, MAYBE, MAYBE, st.none() | PICTURES, MAYBE, MAYBE, st.none() | BUTTONS)
FACES = st.builds(
    CardFace,
    st.sampled_from(get_args(CardKind)),
    *(MAYBE, MAYBE, MAYBE),
    st.lists(PICTURES, max_size=2).map(tuple),
    st.lists(BUTTONS, max_size=2).map(tuple),
    st.none() | BUTTONS,
    st.lists(st.builds(Fact, WORDS, WORDS), max_size=2).map(tuple),
    st.lists(ITEMS, max_size=2).map(tuple),
    *(MAYBE, MAYBE, MAYBE),
    ADDRESSES,
    *(MAYBE, MAYBE),
)
SEGMENTS = st.lists(
    st.builds(Text, WORDS, st.sampled_from(["male", "female"]), LANGUAGES, st.none() | SAY_AS, st.booleans())
    | st.builds(Audio, asset=st.text("0123456789abcdef", min_size=64, max_size=64))
    | st.builds(Audio, url=st.just("https://files.example/p.wav?a=1&b=<2>"))
    | st.builds(Recorded, st.just("0" * 32 + ".wav"))
    | st.builds(Silence, st.integers(1, 60_000))
    | st.builds(Card, FACES, st.sampled_from(["male", "female"]), LANGUAGES, carousel=st.booleans()),
    max_size=6,
).map(tuple)
KEYS = st.text("0123456789*#ABCD", max_size=5).map(lambda keys: "".join(dict.fromkeys(keys)))
OPS = st.builds("{}.{}".format, st.integers(1, 200), st.integers(0, 9))
PHRASES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)


def seconds(low: int, high: int) -> st.SearchStrategy[float]:
    return st.floats(low, high) | st.integers(low, high).map(float)


SILENCE = st.none() | seconds(1, 30)


@st.composite
def menus(draw: st.DrawFn) -> Recognize:
    names = draw(st.lists(st.from_regex(r"\A[a-z]{1,9}\Z"), min_size=1, max_size=8, unique=True))
    is_long = draw(st.booleans())
    key = st.text("0123456789*#", min_size=1, max_size=3 if is_long else 1)
    keys = draw(st.lists(key, min_size=len(names), max_size=len(names), unique=True))
    choices = tuple(
        Choice(name, keys[number] if draw(st.booleans()) else None, tuple(draw(st.lists(PHRASES, max_size=3))))
        for number, name in enumerate(names)
    )
    return Recognize(
        draw(OPS), draw(SEGMENTS), choices=choices, barge_in=draw(st.booleans()), initial_silence=draw(SILENCE),
        language=draw(LANGUAGES), barge_in_speech=draw(st.none() | st.booleans()), type_ahead=draw(st.booleans()),
        inter_digit=draw(seconds(1, 10)) if is_long else None, terminators=draw(KEYS) if is_long else "",
    )  # fmt: skip


DIGITS = st.builds(
    Recognize,
    OPS,
    SEGMENTS,
    digits=st.builds(DigitInput, st.integers(0, 20), st.integers(1, 20), KEYS, seconds(1, 10)),
    barge_in=st.booleans(),
    initial_silence=SILENCE,
    language=LANGUAGES,
    barge_in_speech=st.none() | st.booleans(),
    free=st.none() | st.sampled_from(["number", "date", "yesno"]),
)
RECORDS = st.builds(
    Record, OPS, SEGMENTS, seconds(1, 20_000), seconds(1, 30), KEYS, st.booleans(), SILENCE,
    st.sampled_from([None, "wma", "wav", "mp3"]),
)  # fmt: skip
TRANSFERS = st.builds(
    Transfer,
    OPS,
    st.sampled_from(["tel:+43123456", "tel:123;phone-context=example.com", "sip:a@b.example", "sips:a&b@c.example"]),
    st.none() | seconds(1, 900),
    st.none() | WORDS,
)
QUESTIONS = menus() | DIGITS
LAST = st.none() | st.builds(HangUp, OPS) | QUESTIONS | RECORDS | TRANSFERS


@st.composite
def batches(draw: st.DrawFn) -> tuple[LineCommand, ...]:
    """Make a reply as the engine puts it together (LANGUAGE C14)."""
    if draw(st.integers(0, 9)) == 0:
        return (Reject(draw(OPS)),)
    parts = (
        draw(st.none() | st.builds(Answer, OPS)),
        draw(st.none() | st.builds(Play, OPS, SEGMENTS)),
        draw(LAST),
    )
    ordered = [part for part in parts if part is not None] or [Answer("1.0")]
    return tuple(replace(part, op=f"{part.op}{number}") for number, part in enumerate(ordered))  # no two have one name
