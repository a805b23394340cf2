"""Mistakes that authors make, planted in the appointment line one by one: each is named at its line.

`ivr check --channel sip` runs on a copy of the flow in which one text is replaced by another. A mistake in what it
includes is named in that file.
"""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from msgspec import Struct

from ivr.cli import main

FLOWS = Path(__file__).parents[2] / "flows"
FLOW = "appointment.yaml"
OFFICE = "shared/office.yaml"
WEEKLY = '    weekly: {mon-thu: "09:00-17:00", fri: ["09:00-12:00", "13:00-15:00"]}\n'
HOLIDAYS = '    holidays: {country: AT, region: "9"}\n'
DAYS = """\
    closed: {12-24: {en: Christmas Eve, de: Heiligabend}}
    open: {2026-12-31: "09:00-12:00"}
"""
MORE = """\
          more: {dtmf: "9", prompt: {en: For later times press 9., de: Für spätere Termine drücken Sie die 9.}}
"""
SLOTS = "http://127.0.0.1:8090/slots"
NOBODY = (
    "{say: {en: Nobody can take your call at the moment., de: Im Moment kann niemand Ihren Anruf annehmen.}, "
    "target: main}"
)
CARD = ("initial:", 'variables: {card: {type: text, default: "", sensitive: true}}\ninitial:')


class Planted(Struct, frozen=True):
    """A text of the flow that is replaced by a wrong one, and what is found."""

    name: str
    old: str
    new: str
    code: str
    says: str
    "Of the message and the advice, what tells the author what to do."
    at: str = ""
    "What stands in the line that is named; default: the first line that differs."
    file: str = FLOW
    also: tuple[str, str] | None = None
    "Another text that is replaced, without which there would be no mistake."


PLANTED = [
    Planted(
        "a target is mistyped",
        "  error: trouble\n",
        "  error: troubel\n",
        "unknown-target",
        'Did you mean "trouble" (line ',
    ),
    Planted(
        "a target of a choice is written as one word",
        "{book: look_up,",
        "{book: lookup,",
        "unknown-target",
        'Did you mean "look_up"',
    ),
    Planted(
        "the first state is mistyped",
        "initial: choose_language",
        "initial: chose_language",
        "unknown-target",
        'Did you mean "choose_language"',
    ),
    Planted("a choice is mistyped in on", "on: {book: look_up", "on: {boook: look_up", "never", 'Did you mean "book"?'),
    Planted(
        "an error is mistyped",
        "on: {error.http: no_service}\n\n  choose",
        "on: {error.htpp: no_service}\n\n  choose",
        "never",
        'Did you mean "error.http"?',
    ),
    Planted(
        "a status without its whole name",
        "error.http.status.409: {",
        "error.http.409: {",
        "never",
        'Did you mean "error.http.status.409"?',
    ),
    Planted(
        "a failure of the transfer is mistyped",
        "on: {failed: {say",
        "on: {fialed: {say",
        "never",
        'Did you mean "failed"?',
    ),
    Planted(
        "a transfer that nobody answers",
        f"    on: {{failed: {NOBODY}}}\n",
        "",
        "unhandled",
        "Add failed: <state>",
        at="  reception:",
    ),
    Planted("a command is mistyped in on", "  repeat: self", "  repet: self", "never", 'Did you mean "repeat"?'),
    Planted(
        "a command that nothing handles",
        "  repeat: self\n",
        "",
        "unhandled",
        "Add repeat: <state>",
        at="  choose_language:",
    ),
    Planted(
        "a list without times",
        "      empty: {say: {en: All times are taken., de: Es ist nichts mehr frei.}, target: main}\n",
        "",
        "unhandled",
        "Add empty: <state>",
        at="  choose_time:",
    ),
    Planted(
        "errors that nothing handles",
        "  error: trouble\n",
        "",
        "unhandled",
        'Add error: <state> to the "on" of the flow.',
        at="  choose_language:",
    ),
    Planted(
        "a variable is mistyped",
        "Its number is {{ booking.",
        "Its number is {{ bookin.",
        "undefined",
        'Did you mean "booking"?',
    ),
    Planted(
        "a field of an answer is mistyped",
        "Its number is {{ booking.reference",
        "Its number is {{ booking.referense",
        "undefined",
        'Did you mean "reference"?',
    ),
    Planted(
        "a field of a chosen item is mistyped",
        "appointment on {{ chosen.day",
        "appointment on {{ chosen.dya",
        "undefined",
        'Did you mean "day"?',
    ),
    Planted("a field of an item is mistyped", "For {{ slot.day", "For {{ slot.dya", "undefined", 'Did you mean "day"?'),
    Planted(
        "a list in an answer is mistyped",
        "foreach: offered.slots",
        "foreach: offered.slot",
        "undefined",
        'Did you mean "slots"?',
    ),
    Planted(
        "an answer is taken for the list in it",
        "foreach: offered.slots",
        "foreach: offered",
        "foreach",
        "This is not a list",
    ),
    Planted(
        "the chosen item is not kept",
        "          into: chosen\n",
        "",
        "undefined",
        'Unknown name "chosen".',
        at='json: {slot: "{{ chosen.id }}"',
    ),
    Planted(
        "an answer without its shape",
        "      returns: {reference: text}\n",
        "",
        "value",
        'Add "returns" with the shape of the body.',
        at="into: booking",
    ),
    Planted(
        "a way past the choice of a time",
        "on: {book: look_up,",
        "on: {book: ask_phone,",
        "unset",
        "It is not set on the path choose_language → main → ask_phone → book.",
        at='json: {slot: "{{ chosen.id }}"',
    ),
    Planted(
        "a calendar is mistyped",
        "{guard: calendar.office.open, target",
        "{guard: calendar.offce.open, target",
        "undefined",
        'Did you mean "office"?',
    ),
    Planted(
        "a fact of a calendar is mistyped",
        "calendar.office.nextOpen | datetime }}.\n      de",
        "calendar.office.nextopen | datetime }}.\n      de",
        "undefined",
        'Did you mean "nextOpen"?',
        file=OFFICE,
    ),
    Planted(
        "a prompt is mistyped",
        "{say: {ref: closed}, target",
        "{say: {ref: close}, target",
        "ref",
        'Did you mean "closed"?',
    ),
    Planted(
        "a destination is mistyped",
        "transfer: {to: reception",
        "transfer: {to: recption",
        "destination",
        'Did you mean "reception"?',
    ),
    Planted(
        "a filter is mistyped",
        "en: Your number is {{ phone | telephone",
        "en: Your number is {{ phone | telefone",
        "filter",
        'Did you mean "telephone"?',
    ),
    Planted(
        "a filter for another type",
        "en: For {{ slot.day | date }} at {{ slot.time | time }}",
        "en: For {{ slot.day | date }} at {{ slot.time | date }}",
        "type",
        '"date" takes date or datetime, not time.',
    ),
    Planted(
        "a currency for a number that is none",
        "en: Your number is {{ phone | telephone",
        "en: Your number is {{ phone | money('EUR')",
        "type",
        '"money" takes decimal or integer, not text.',
    ),
    Planted(
        "a day without a filter",
        "en: For {{ slot.day | date }}",
        "en: For {{ slot.day }}",
        "format",
        'Write "… | date".',
    ),
    Planted(
        "an included file is mistyped",
        "shared/office.yaml]",
        "shared/ofice.yaml]",
        "include",
        'There is no file "shared/ofice.yaml".',
    ),
    Planted(
        "a key of a request is mistyped",
        "      into: booking\n",
        "      inot: booking\n",
        "unknown-key",
        'Did you mean "into"?',
    ),
    Planted("a method is mistyped", "method: POST", "method: PSOT", "value", 'Did you mean "POST"?'),
    Planted("a status of four digits", "expect: [201]", "expect: [2011]", "value", "Write one such as 404"),
    Planted(
        "a text of the defaults is mistyped",
        "  noInput: {en: I did",
        "  noinput: {en: I did",
        "unknown-key",
        'Did you mean "noInput"?',
    ),
    Planted(
        "an outcome is mistyped",
        "outcome: unresolved",
        "outcome: unresolvd",
        "outcome-typo",
        'Did you mean "unresolved"?',
    ),
    Planted(
        "a text is missing in a language",
        "      - {en: Welcome to the practice of Doctor Weber., de: Willkommen in der Praxis von Doktor Weber.}",
        "      - {en: Welcome to the practice of Doctor Weber.}",
        "language",
        'Add "de".',
    ),
    Planted(
        "a text in no language",
        "      - {ref: goodbye}\n    final: true",
        "      - Goodbye.\n    final: true",
        "language",
        "Write {en: …, de: …}",
    ),
    Planted(
        "a text for all callers under one language",
        '{text: "For English, press 1 or say English.", language: en-US}',
        '{en: "For English, press 1 or say English.", language: en-US}',
        "language",
        "For one text that all callers hear, write {text: …, language: en-US}.",
    ),
    Planted(
        "words of callers in one language",
        "speech: {en: appointment, de: Termin}",
        "speech: [appointment]",
        "language",
        "Write {en: […], de: […]}.",
    ),
    Planted(
        "a language is mistyped",
        "noMatch: {en: That is no telephone number., de:",
        "noMatch: {en: That is no telephone number., ge:",
        "language",
        "Its languages are en-US, de-DE.",
    ),
    Planted(
        "a language by its name",
        "{set: {language: de-DE}",
        "{set: {language: german}",
        "language",
        "Its languages are en-US, de-DE.",
    ),
    Planted(
        "a shared text is missing in a language",
        "  goodbye: {en: Thank you for calling. Goodbye., de: Danke für Ihren Anruf. Auf Wiederhören.}",
        "  goodbye: {en: Thank you for calling. Goodbye.}",
        "language",
        'Add "de".',
        file=OFFICE,
    ),
    Planted(
        "a closed day is missing in a language",
        "closed: {12-24: {en: Christmas Eve, de: Heiligabend}}",
        "closed: {12-24: {en: Christmas Eve}}",
        "language",
        'Add "de".',
        file=OFFICE,
    ),
    Planted(
        "a new language",
        "[en-US, de-DE]\n",
        "[en-US, de-DE, fr-FR]\n",
        "language",
        'Add "fr".',
        at="  noInput: {en: I did",
    ),
    Planted(
        "a secret is spoken",
        "en: Welcome to the practice of Doctor Weber.,",
        'en: "Welcome {{ secrets.practice }}.",',
        "secret",
        "Only guards and the headers, query, json and form of http may name one.",
    ),
    Planted(
        "a secret in a subject",
        "subject: Appointment {{ booking.reference }}",
        "subject: Appointment {{ secrets.desk }}",
        "secret",
        "Only guards and the headers",
    ),
    Planted(
        "a secret in an address",
        f"url: {SLOTS}",
        f"url: {SLOTS}/{{{{ secrets.practice }}}}",
        "secret",
        "Only guards and the headers",
    ),
    Planted(
        "a private number in a mail",
        "      into: phone\n",
        "      into: phone\n      sensitive: true\n",
        "sensitive",
        "A private value would be sent.",
        at="Call back: {{ phone }}",
    ),
    Planted(
        "a private number is read back",
        "      into: phone\n",
        "      into: phone\n      sensitive: true\n",
        "sensitive",
        "A private value would be spoken.",
        at="en: Your number is {{ phone",
    ),
    Planted(
        "a private value in a whisper",
        "{{ call.from or 'number withheld' }}",
        "{{ card }}",
        "sensitive",
        "A private value would be sent.",
        at="{{ card }}",
        also=CARD,
    ),
    Planted(
        "a value in the host",
        f"url: {SLOTS}",
        'url: "https://{{ call.to }}.contoso.example/slots"',
        "url-host",
        "The host is not written out.",
    ),
    Planted(
        "http to another machine",
        f"url: {SLOTS}",
        "url: http://practice.contoso.example/slots",
        "url-host",
        "Write https.",
    ),
    Planted(
        "an address without its scheme",
        f"url: {SLOTS}",
        "url: practice.contoso.example/slots",
        "url-host",
        "Write it like https://",
    ),
    Planted(
        "a file instead of a service",
        f"url: {SLOTS}",
        "url: file:///etc/passwd",
        "url-host",
        "does not begin with https://",
    ),
    Planted(
        "a password in an address",
        f"url: {SLOTS}",
        "url: https://me:secret@practice.contoso.example/slots",
        "url-host",
        'Write a secret in "headers".',
    ),
    Planted(
        "a value in an address that belongs into the query",
        f"url: {SLOTS}",
        f"url: {SLOTS}?number={{{{ call.to }}}}",
        "url",
        'Write it in "query"',
    ),
    Planted(
        "a booking that is sent again",
        "      expect: [201]\n",
        "      expect: [201]\n      retries: 2\n",
        "retry-post",
        "Does the service keep the Idempotency-Key?",
        at="retries: 2",
    ),
    Planted("a type that there is not", "slots: [{id: text,", "slots: [{id: string,", "value", "Write text."),
    Planted(
        "texts instead of days",
        "day: date, time: time}]}",
        "day: text, time: text}]}",
        "type",
        "Store it in a variable of that type.",
        at="en: For {{ slot.day",
    ),
    Planted(
        "a field that may be missing",
        "returns: {reference: text}",
        "returns: {reference?: text}",
        "may-be-null",
        "Guard it, or write",
        at="subject: Appointment",
    ),
    Planted(
        "a caller who withholds the number",
        "{{ call.from or 'number withheld' }}",
        "{{ call.from }}",
        "may-be-null",
        'write "call.from or …"',
    ),
    Planted("a unit is left out", "timeout: 25s", "timeout: 25", "unit", 'Write "25s" for seconds'),
    Planted(
        "a unit that there is not", "maxDuration: 60s", "maxDuration: 60sec", "unit", "Write a number and ms, s, m or h"
    ),
    Planted("too long a time", "timeout: 25s", "timeout: 10m", "value", "5s to 2m is possible."),
    Planted("a key twice", 'hours: {dtmf: "2"', 'hours: {dtmf: "1"', "duplicate-dtmf", "The key 2 is free."),
    Planted(
        "a key that is the beginning of another",
        'hours: {dtmf: "2"',
        'hours: {dtmf: "12"',
        "duplicate-dtmf",
        'add "terminators" to the menu',
    ),
    Planted(
        "a word twice",
        "de: Öffnungszeiten}}",
        "de: Termin}}",
        "duplicate-speech",
        "Each spoken form must be different.",
    ),
    Planted(
        "a key of a command that choices have",
        'operator: {dtmf: "0"',
        'operator: {dtmf: "1"',
        "command",
        "Choose another key for it.",
        at='book: {dtmf: "1"',
    ),
    Planted(
        "a prompt names another key",
        "For our opening hours, press 2.",
        "For our opening hours, press 3.",
        "prompt-key",
        "the key 3 is not accepted here",
    ),
    Planted(
        "a prompt names another key to confirm",
        "To enter it again, press 2.",
        "To enter it again, press 3.",
        "prompt-key",
        "the key 3 is not accepted here",
    ),
    Planted("a star without quotes", 'repeat: {dtmf: "*"', "repeat: {dtmf: *", "star", 'Write "*".'),
    Planted(
        "a key that no phone has",
        'hours: {dtmf: "2"',
        'hours: {dtmf: "E"',
        "value",
        "Write one of 0-9, *, #, A-D in quotes",
    ),
    Planted("more keys at least than at most", "maxDigits: 15", "maxDigits: 3", "value", "Increase it."),
    Planted("a list without the rest", MORE, "", "foreach", 'Add "more".', at="foreach: offered.slots"),
    Planted("more items than keys", "page: 3", "page: 12", "value", "Write a whole number from 1 to 9."),
    Planted(
        "a pound sign without quotes",
        "press pound.\n        de: Bitte nennen",
        "press # to end.\n        de: Bitte nennen",
        "hash",
        "Put the text in quotes",
    ),
    Planted(
        "a comma in braces",
        "{en: Nobody can take your call at the moment.,",
        "{en: Nobody can take your call, try again.,",
        "comma",
        "Put the text before the comma in quotes.",
    ),
    Planted(
        "a colon in a text",
        "en: To make an appointment, press 1.",
        "en: Appointments: press 1.",
        "colon",
        "Put the whole text in quotes.",
    ),
    Planted("a tab", "      into: message\n", "\tinto: message\n", "tab", "Use spaces."),
    Planted(
        "a key written twice",
        "      maxDigits: 15\n",
        "      maxDigits: 15\n      minDigits: 6\n",
        "duplicate-key",
        "Keep one of them.",
    ),
    Planted(
        "a line that is not under the others",
        "      into: booking\n",
        "     into: booking\n",
        "syntax",
        "Begin it in column 7.",
    ),
    Planted("braces without quotes", '{from: "{{ today }}"}', "{from: {{ today }}}", "braces", 'Write "{{ … }}".'),
    Planted(
        "single braces",
        "en: For {{ slot.day | date }}",
        "en: For { slot.day | date }",
        "single-braces",
        "Write {{ slot.day | date }}.",
    ),
    Planted(
        "braces in a guard",
        "{guard: calendar.office.open, target",
        '{guard: "{{ calendar.office.open }}", target',
        "expression",
        "Delete the braces.",
    ),
    Planted(
        "two actions in a state",
        "  welcome:\n",
        "  welcome:\n    pause: 1s\n",
        "one-action",
        "make two states of it",
        at="    pause: 1s",
    ),
    Planted(
        "a way out of the end",
        "      - {ref: goodbye}\n    final: true\n",
        "      - {ref: goodbye}\n    final: true\n    next: goodbye\n",
        "final",
        'Delete "next".',
    ),
    Planted(
        "a word that is not true",
        "    final: true\n    outcome: unresolved",
        "    final: yes\n    outcome: unresolved",
        "value",
        "Write true.",
    ),
    Planted(
        "a state that no call reaches",
        "    next: booked\n",
        "    next: main\n",
        "unreachable",
        "Add a transition to it, or delete it.",
        at="  booked:",
    ),
    Planted(
        "no way for callers out of hours",
        "    - {say: {ref: closed}, target: main}\n",
        "",
        "no-otherwise",
        "Add a last branch without a guard.",
        at="- {guard: calendar.office.open",
    ),
    Planted(
        "a branch after one without a guard",
        "    - {guard: calendar.office.open, target: reception}\n",
        "    - welcome\n    - {guard: calendar.office.open, target: reception}\n",
        "unreachable-branch",
        "put it last",
        at="- {guard: calendar.office.open",
    ),
    Planted(
        "a round without an end",
        "empty: {say: {en: All times are taken., de: Es ist nichts mehr frei.}, target: main}",
        "empty: look_up",
        "endless",
        "Allow this transition only while",
        at="    next: choose_time",
    ),
    Planted(
        "a failing service is asked for ever",
        "on: {error.http: no_service}\n\n  choose",
        "on: {error.http: look_up}\n\n  choose",
        "endless",
        '"visits.look_up < 3"',
    ),
    Planted(
        "an address of a mail without an @",
        "email: practice@contoso.example\n      subject: Appointment",
        "email: practice.contoso.example\n      subject: Appointment",
        "recipient",
        "Write one such as anna@contoso.example.",
    ),
    Planted(
        "nobody gets a mail",
        "      email: practice@contoso.example\n      subject: Appointment",
        "      subject: Appointment",
        "recipient",
        'Add "email: <address>"',
        at="    notify:\n      subject: Appointment",
    ),
    Planted(
        "what is attached is no recording", "attach: [message]", "attach: [phone]", "type", "This must be a recording"
    ),
    Planted(
        "what is attached is mistyped", "attach: [message]", "attach: [massage]", "undefined", 'Did you mean "message"?'
    ),
    Planted(
        "a calendar that never opens",
        f"{WEEKLY}{HOLIDAYS}{DAYS}",
        HOLIDAYS,
        "calendar",
        'Add "weekly" with its hours.',
        at="  office:",
        file=OFFICE,
    ),
    Planted("a weekday in two letters", "mon-thu:", "mo-thu:", "value", 'Did you mean "mon-thu"?', file=OFFICE),
    Planted(
        "hours in one text",
        'fri: ["09:00-12:00", "13:00-15:00"]',
        'fri: "09:00-12:00, 13:00-15:00"',
        "value",
        'Write ["09:00-12:00", "13:00-15:00"].',
        file=OFFICE,
    ),
    Planted("hours that overlap", '"13:00-15:00"', '"11:00-15:00"', "calendar", "Write them as one.", file=OFFICE),
    Planted("hours that there are not", '"13:00-15:00"', '"13:00-25:00"', "value", "an end also 24:00", file=OFFICE),
    Planted("a weekday twice", "fri: [", "thu-fri: [", "calendar", "Delete one of them.", file=OFFICE),
    Planted("a country of three letters", "country: AT", "country: AUT", "value", 'Did you mean "AT"?', file=OFFICE),
    Planted("a region that there is not", 'region: "9"', 'region: "19"', "value", 'Did you mean "9"?', file=OFFICE),
    Planted("the day before the month", "{12-24: {en", "{24-12: {en", "value", "Write 2026-12-24", file=OFFICE),
    Planted(
        "a time zone in its own language",
        "Europe/Vienna",
        "Europe/Wien",
        "value",
        'Did you mean "Europe/Vienna"?',
        file=OFFICE,
    ),
]


def line_of(text: str, planted: Planted) -> int:
    """Return the line, counted from 1, in which the mistake is to be named."""
    if planted.at:
        assert planted.at in text, "the flow does not have the line that is to be named any more"
        return text[: text.index(planted.at)].count("\n") + 1 + planted.at.startswith("\n")
    before = (FLOWS / planted.file).read_text("utf-8")
    same = next(place for place, (one, other) in enumerate(zip(before, text, strict=False)) if one != other)
    return text[:same].count("\n") + 1


def test_the_line_has_no_mistake_before() -> None:
    result = CliRunner().invoke(main, ["check", "--strict", "--channel", "sip", str(FLOWS / FLOW)])
    assert result.exit_code == 0, result.output


def test_there_are_forty_mistakes_and_more_each_with_a_name_of_its_own() -> None:
    assert len({planted.name for planted in PLANTED}) == len(PLANTED) >= 40


@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: planted.name)
def test_a_planted_mistake_is_named_at_its_line(
    planted: Planted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "shared").mkdir()
    for name in (FLOW, OFFICE):
        shutil.copy(FLOWS / name, tmp_path / name)
    text = (tmp_path / planted.file).read_text("utf-8")
    assert text.count(planted.old) == 1, "the flow does not have this text once: plant the mistake elsewhere"
    changed = text.replace(planted.old, planted.new)
    changed = changed.replace(*planted.also, 1) if planted.also else changed
    (tmp_path / planted.file).write_text(changed, "utf-8")
    monkeypatch.chdir(tmp_path)
    found = json.loads(CliRunner().invoke(main, ["check", "--json", "--channel", "sip", FLOW]).stdout)
    said = [f"{one['file']}:{one['line']} {one['code']}: {one['message']} {one['suggestion']}" for one in found]
    place = f"{planted.file}:{line_of(changed, planted)} {planted.code}: "
    assert [one for one in said if one.startswith(place) and planted.says in one], "\n".join(said)
