"""What is proved before any call: types, values that may be missing, guards (LANGUAGE C11 and the list of checks)."""

from collections.abc import Mapping

import pytest

from ivr.engine.expressions.check import check_guard, check_text, infer
from ivr.engine.expressions.compile import compile_expression, compile_template
from ivr.engine.expressions.narrow import narrowed
from ivr.engine.expressions.types import (
    ANY,
    BOOLEAN,
    DATE,
    DATETIME,
    DECIMAL,
    INTEGER,
    MIXED,
    NONE,
    RECORDING,
    TEXT,
    TIME,
    Type,
    optional,
)

ENV: Mapping[str, Type] = {
    "name": TEXT,
    "note": optional(TEXT),
    "tries": INTEGER,
    "count": optional(INTEGER),
    "price": DECIMAL,
    "done": BOOLEAN,
    "day": DATE,
    "clock": TIME,
    "now": DATETIME,
    "issue": RECORDING,
    "message": optional(RECORDING),
    "items": Type("list", item=TEXT),
    "maybe": Type("list", item=optional(TEXT), optional=True),
    "people": Type("list", item=Type("object", fields={"name": TEXT})),
    "call": Type("object", fields={"id": TEXT, "from": optional(TEXT)}),
    "order": Type(
        "object",
        optional=True,
        fields={"id": TEXT, "by": Type("object", optional=True, fields={"name": optional(TEXT)})},
    ),
    "visits": Type("object", fields={"main": INTEGER, "leave": INTEGER}),
    "body": ANY,
    "void": NONE,
}


@pytest.mark.parametrize(
    ("source", "type_"),
    [
        ("'a'", TEXT),
        ("1", INTEGER),
        ("1.5", DECIMAL),
        ("true", BOOLEAN),
        ("none", NONE),
        ("note", optional(TEXT)),
        ("call.from", optional(TEXT)),
        ("order.id", optional(TEXT)),
        ("order.by.name", optional(TEXT)),
        ("issue.transcript", optional(TEXT)),
        ("issue.seconds", DECIMAL),
        ("message.seconds", optional(DECIMAL)),
        ("void.x", NONE),
        ("void[0]", NONE),
        ("body.x[0].y", ANY),
        ("items[0]", optional(TEXT)),
        ("maybe[tries]", optional(TEXT)),
        ("people[0].name", optional(TEXT)),
        ("name[0]", optional(TEXT)),
        ("tries + 1", INTEGER),
        ("tries // 2.5", INTEGER),
        ("tries / 2", DECIMAL),
        ("price * tries", DECIMAL),
        ("body + 1", ANY),
        ("-price", DECIMAL),
        ("name ~ tries", TEXT),
        ("name == 'a'", BOOLEAN),
        ("note == none", BOOLEAN),
        ("message != none", BOOLEAN),
        ("note == name", BOOLEAN),
        ("body == 1", BOOLEAN),
        ("1 < tries <= price", BOOLEAN),
        ("now >= now", BOOLEAN),
        ("'a' in name", BOOLEAN),
        ("note in items", BOOLEAN),
        ("none in items", BOOLEAN),
        ("1 in body", BOOLEAN),
        ("not note", BOOLEAN),
        ("note is not none", BOOLEAN),
        ("note or 'nothing'", TEXT),
        ("note or none", optional(TEXT)),
        ("none or name", TEXT),
        ("count or 0", INTEGER),
        ("count or 'none'", MIXED),
        ("message or none", optional(RECORDING)),
        ("note and note ~ '!'", optional(TEXT)),
        ("message and message.seconds > 3", optional(BOOLEAN)),
        ("issue and issue.seconds", DECIMAL),
        ("done and name", MIXED),
        ("tries if done else price", DECIMAL),
        ("note if note else 'x'", TEXT),
        ("note ~ '!' if note is not none else 'x'", TEXT),
        ("'x' if note is none else note", TEXT),
        ("'x' if not note else note", TEXT),
        ("name | upper", TEXT),
        ("items | first", optional(TEXT)),
        ("name | last", optional(TEXT)),
        ("items | length", INTEGER),
        ("price | round", INTEGER),
        ("price | round(1)", DECIMAL),
        ("'42' | int", INTEGER),
        ("'09:40' | time", TEXT),
        ("body | upper", TEXT),
        ("body | first", ANY),
        ("items | list", TEXT),
    ],
)
def test_an_expression_has_its_type(source: str, type_: Type) -> None:
    assert infer(compile_expression(source), ENV) == (type_, [])


UNDEFINED, NULL, TYPE = "undefined", "may-be-null", "type"
NO_CONDITION = 'A number alone is neither true nor false. Compare it: "… > 0", or "… is not none".'
MISTAKES = [
    ("nam", "nam", UNDEFINED, 'Unknown name "nam". Did you mean "name"?'),
    ("zzz", "zzz", UNDEFINED, 'Unknown name "zzz".'),
    ("note == null", "null", UNDEFINED, 'Unknown name "null". Write "none".'),
    ("range", "range", UNDEFINED, 'Unknown name "range".'),
    ("call.form", "form", UNDEFINED, 'Unknown field "form". Did you mean "from"?'),
    ("visits.mian > 2", "mian", UNDEFINED, 'Unknown field "mian". Did you mean "main"?'),
    ("issue.media", "media", UNDEFINED, 'Unknown field "media".'),
    ("issue.transcipt", "transcipt", UNDEFINED, 'Unknown field "transcipt". Did you mean "transcript"?'),
    ("now.year", "now.year", TYPE, "A value of type datetime has no fields."),
    ("tries[0]", "tries[0", TYPE, "A value of type integer has no items."),
    ("items[name]", "name", TYPE, "An index must be an integer, not text."),
    ("items[count]", "count", NULL, '"count" may have no value here. Guard it, or write "count or …".'),
    ("name == 1", "name == 1", TYPE, "A value of type text cannot be compared with one of type integer."),
    ("1 < tries < name", "tries < name", TYPE, "A value of type integer cannot be compared with one of type text."),
    ("items == items", "items == items", TYPE, "A value of type [text] cannot be compared with one of type [text]."),
    ("done < done", "done < done", TYPE, "A value of type boolean cannot be compared with one of type boolean."),
    ("day == clock", "day == clock", TYPE, "A value of type date cannot be compared with one of type time."),
    ("(count or 'x') == 'x'", "count or 'x') == 'x'",
     TYPE, "A value of type mixed cannot be compared with one of type text."),
    ("note < name", "note", NULL, '"note" may have no value here. Guard it, or write "note or …".'),
    ("none < name", "none", NULL, "This may have no value here."),
    ("'a' in note", "note", NULL, '"note" may have no value here. Guard it, or write "note or …".'),
    ("note in name", "note", NULL, '"note" may have no value here. Guard it, or write "note or …".'),
    ("1 in name", "1 in name", TYPE, "A value of type integer cannot be compared with one of type text."),
    ("1 in items", "1 in items", TYPE, "A value of type integer cannot be compared with one of type text."),
    ("'a' in tries", "tries", TYPE, "A value of type integer cannot contain anything."),
    ("name + 1", "name", TYPE, 'A value of type text cannot be used in a calculation. To join texts, write "~".'),
    ("'a' * 10", "'a'", TYPE, "A value of type text cannot be used in a calculation."),
    ("-done", "done", TYPE, "A value of type boolean cannot be used in a calculation."),
    ("count + 1", "count", NULL, '"count" may have no value here. Guard it, or write "count or …".'),
    ("note ~ '!'", "note", NULL, '"note" may have no value here. Guard it, or write "note or …".'),
    ("items[0] ~ '!'", "items[0", NULL, "This may have no value here."),
    ("issue ~ '!'", "issue", TYPE, 'A value of type recording cannot be spoken. Take its field "transcript".'),
    ("people ~ '!'", "people", TYPE, "A value of type [{name: text}] cannot be spoken."),
    ("people | list", "people", TYPE, "A value of type [{name: text}] cannot be spoken."),
    ("note | upper", "note", NULL, '"note" may have no value here. Guard it, or write "note or …".'),
    ("tries | upper", "upper", TYPE, '"upper" takes text, not integer.'),
    ("price | ordinal", "ordinal", TYPE, '"ordinal" takes integer, not decimal.'),
    ("clock | date", "date", TYPE, '"date" takes date or datetime, not time.'),
    ("name | int", "name", TYPE,
     'It is not certain that "int" can read this text. Store it in a variable of that type.'),
    ("'four' | int", "'four'", TYPE, '"int" cannot read this: not of type decimal.'),
    ("'25:00' | time", "'25:00'", TYPE, '"time" cannot read this: there is no such day or time.'),
    ("tries and name", "tries", TYPE, NO_CONDITION),
    ("not count", "count", TYPE, NO_CONDITION),
    ("1 if tries else 2", "tries", TYPE, NO_CONDITION),
    ("message or name", "message or name", TYPE,
     "This is either recording or text; both results must have the same type."),
    ("issue if done else name", "issue if done else name",
     TYPE, "This is either recording or text; both results must have the same type."),
    ("name and issue and done", "name and issue and done", TYPE,
     "This is either something else or boolean; both results must have the same type."),
    ("note if done else items", "note if done else items",
     TYPE, "This is either text or [text]; both results must have the same type."),
    ("((items and message) or issue) ~ '!'", "items and message",
     TYPE, "This is either [text] or recording; both results must have the same type."),
]  # fmt: skip


@pytest.mark.parametrize(("source", "marked", "code", "words"), MISTAKES)
def test_a_mistake_is_found_once_with_its_place(source: str, marked: str, code: str, words: str) -> None:
    _, errors = infer(compile_expression(source), ENV)
    assert [(error.code, str(error)) for error in errors] == [(code, words)]
    assert source[errors[0].offset : errors[0].offset + errors[0].length] == marked


def test_all_mistakes_of_a_text_come_at_once_with_their_places() -> None:
    source = "Hello {{ nam }}, you tried {{ count + name }} times"
    type_, errors = infer(compile_template(source), ENV)
    assert type_ == TEXT
    assert [source[error.offset : error.offset + error.length] for error in errors] == ["nam", "count", "name"]


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("{{ note }}", [NULL]),
        ("{{ none }}", [NULL]),
        ("We heard {{ note }}.", [NULL]),
        ("{{ note or 'nothing' }}", []),
        ("{{ issue.transcript }}", [NULL]),
        ("{{ issue }}", [TYPE]),
        ("{{ tries }} {{ day }} {{ done }} {{ items }} {{ count or 'no' }}", []),
        ("{{ body }}", []),
        ("Hello", []),
    ],
)
def test_none_is_never_spoken(source: str, found: list[str]) -> None:
    assert [error.code for error in check_text(compile_template(source), ENV)] == found


def test_a_value_that_is_stored_may_be_none() -> None:
    assert infer(compile_template("{{ note }}"), ENV) == (optional(TEXT), [])
    assert infer(compile_template("{{ note }} "), ENV)[1] != []
    assert infer(compile_template("Hello"), ENV) == (TEXT, [])


@pytest.mark.parametrize(
    ("guard", "found"),
    [
        ("done", []),
        ("note", []),
        ("message", []),
        ("items", []),
        ("items and message", []),
        ("message or items", []),
        ("name and issue and done", []),
        ("none", []),
        ("tries", [TYPE]),
        ("done and tries", [TYPE]),
        ("count or done", [TYPE]),
        ("not price", [TYPE]),
        ("tries > 3", []),
        ("count and count > 3", [TYPE]),
        ("count is not none and count > 3", []),
        ("count > 3", [NULL]),
        ("count or 3", [TYPE, TYPE]),
        ("visits.leave <= 3", []),
        ("issue.transcript and 'cancel' in issue.transcript", []),
        ("'cancel' in issue.transcript", [NULL]),
        ("issue.transcript or 'cancel' in issue.transcript", [NULL]),
        ("not issue.transcript or 'cancel' in issue.transcript", []),
        ("issue.transcript is none or 'cancel' in issue.transcript", []),
        ("issue.transcript == 'cancel' and 'c' in issue.transcript", []),
        ("'cancel' != issue.transcript or 'c' in issue.transcript", []),
        ("issue.transcript != none and 'c' in issue.transcript", []),
        ("issue.transcript == none or 'c' in issue.transcript", []),
        ("issue.transcript != 'x' and 'c' in issue.transcript", [NULL]),
        ("note == name and 'c' in note", [NULL]),
        ("none == none and 'c' in note", [NULL]),
        ("'a' == note == 'a' and 'c' in note", [NULL]),
        ("(note and name is not none) and 'c' in note", []),
        ("not (not note or not done) and 'c' in note", []),
        ("not (note is none and done) and 'c' in note", [NULL]),
        ("(note or note != none) and 'c' in note", []),
        ("(note or done) and 'c' in note", [NULL]),
        ("(note and done) is not none and 'c' in note", [NULL]),
        ("order.by.name and order.id in order.by.name", []),
        ("order.id and 'x' in order.by.name", [NULL]),
        ("zzz.x and 'x' in name", [UNDEFINED]),
        ("call.x and 'x' in name", [UNDEFINED]),
        ("order['by.x'] and 'x' in name", [UNDEFINED]),
    ],
)
def test_a_guard_is_no_number_and_proves_what_it_looked_at(guard: str, found: list[str]) -> None:
    assert [error.code for error in check_guard(compile_expression(guard), ENV)] == found


def test_what_a_guard_proves_holds_behind_it() -> None:
    guard = compile_expression("issue.transcript and order.id").node
    spoken = compile_template("{{ issue.transcript }} {{ order.id }}")
    assert [error.code for error in check_text(spoken, ENV)] == [NULL, NULL]
    assert check_text(spoken, narrowed(ENV, guard, holds=True)) == []
    assert [error.code for error in check_text(spoken, narrowed(ENV, guard, holds=False))] == [NULL, NULL]

    otherwise = compile_expression("note is none").node
    assert check_text(compile_template("{{ note }}"), narrowed(ENV, otherwise, holds=False)) == []
    assert ENV["note"] == optional(TEXT), "the types given stay what they were"
