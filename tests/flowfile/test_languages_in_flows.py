"""Texts by language: how they are written, and what is found where one is missing (LANGUAGE C2, C9)."""

import pytest

from ivr.channels.skype import SkypeChannel
from tests.flowfile.reading import codes, load, said, whole

END = "  bye: {say: {en: Goodbye., de: Auf Wiederhören.}, final: true, outcome: unresolved}\n"


def of_languages(states: str, languages: str = "languages: [en-US, de-DE]") -> list[str]:
    """Return what is said of a flow in several languages."""
    return said(f"{languages}\nstates:\n{states}\n{END}")


IN_ONE_ONLY = (
    "This text is not written in each language of the flow. Write {en: …, de: …}, or say with "
    '"language: en-US" that all callers hear it in this one.'
)
BOTH = 'A flow has "language" or "languages", not both. Delete "language"; the first of "languages" is spoken.'


@pytest.mark.parametrize(
    ("say", "found"),
    [
        ("{en: Hello., de: Hallo.}", []),
        ("{en-US: Hello., DE: Hallo.}", []),
        ("[{en: Hello., de: [Hallo., {silence: 1s}, Wie geht es?]}, {silence: 1s}]", []),
        ("{en: {audio: 'https://contoso.example/en.wav', text: Hello.}, de: Hallo.}", []),
        ("{text: Hello., language: en-US}", []),
        ('"{{ call.to }}"', []),
        ("{audio: 'https://contoso.example/m.wav', text: '…'}", []),
        ("{en: Hello.}", ['There is no text in de-DE. Add "de".']),
        ("{de: Hallo.}", ['There is no text in en-US. Add "en".']),
        (
            "{en: Hello., language: en-US}",
            ["There is no text in de-DE. For one text that all callers hear, write {text: …, language: en-US}."],
        ),
        (
            "{fr: Salut.}",
            [
                'There is no text in en-US and de-DE. Add "en" and "de".',
                '"fr" is not a language of this flow. Its languages are en-US, de-DE.',
            ],
        ),
        (
            "{en: Hello., en-US: Hi., de: Hallo.}",
            ['The text in en-US is already written under "en". Delete one of them.'],
        ),
        ("Hello.", [IN_ONE_ONLY]),
        ('"Hello {{ call.to }}"', [IN_ONE_ONLY]),
        (
            "{en: Hello., de: Hallo., language: fr}",
            ['"fr" is not a language of this flow. Its languages are en-US, de-DE.'],
        ),
        ("{en: {de: Hallo., en: Hello.}, de: Hallo.}", []),
    ],
)
def test_every_text_is_there_in_each_language_and_in_no_other(say: str, found: list[str]) -> None:
    assert of_languages(f"  start: {{say: {say}, next: bye}}") == [f"language: {one}" for one in found]


def test_a_key_that_can_mean_two_languages_is_written_whole() -> None:
    start = "  start: {say: {de: Hallo.}, next: bye}\n"
    bye = "  bye: {say: {de-DE: Tschüss., de-AT: Servus.}, final: true, outcome: unresolved}\n"
    assert said(f"languages: [de-DE, de-AT]\nstates:\n{start}{bye}") == [
        'language: "de" may be de-DE or de-AT. Write the whole tag.'
    ]


def test_a_text_by_language_in_a_flow_of_one_language_is_in_that_one() -> None:
    assert codes("start: {say: {en: Hello.}, next: bye}\n") == []
    assert codes("start: {say: {en: Hello., de: Hallo.}, next: bye}\n") == ["language"]


def test_texts_of_questions_choices_defaults_and_transitions_are_looked_at() -> None:
    found = of_languages("""
  start:
    menu:
      prompt: {en: Press 1., de: Drücken Sie die Eins.}
      noInput: [Hello?, {en: Are you there?, de: Sind Sie da?}]
      choices: {sales: {dtmf: "1", prompt: For sales press 1.}}
    on: {sales: {target: bye, say: Well done.}}
""", "languages: [en-US, de-DE]\ndefaults: {noMatch: What?}")  # fmt: skip
    assert len(found) == 4
    assert {one.partition(":")[0] for one in found} == {"language"}


@pytest.mark.parametrize(
    ("head", "found"),
    [
        ("language: de-DE\nlanguages: [en-US, de-DE]",
         [f"language: {BOTH}"]),
        ("languages: [en-US, de-DE, en-us]", ['language: "en-us" is written twice. Delete one of them.']),
        ("languages: [en-US, de-DE, german language]",
         ['value: "german language" is not a language tag. Write a language tag, such as en-US.']),
        ("languages: []", ["empty: The list is empty. Write an item, or delete the key."]),
    ],
)  # fmt: skip
def test_the_languages_of_a_flow_are_declared_once(head: str, found: list[str]) -> None:
    assert of_languages("  start: {say: {en: Hello., de: Hallo.}, next: bye}", head) == found


def test_a_call_changes_only_to_a_language_of_the_flow() -> None:
    start = "  start: {say: {en: Hello., de: Hallo.}, next: {set: {language: %s}, target: bye}}"
    assert of_languages(start % "de") == []
    assert of_languages(start % "fr") == [
        'language: "fr" is not a language of this flow. Its languages are en-US, de-DE.'
    ]


def test_a_part_has_one_text_or_one_for_each_language() -> None:
    assert said("start: {say: {text: Hello., de: Hallo.}, next: bye}\n") == [
        'unknown-key: "de" is not known here. A part has one text, or one for each language: {en: …, de: …}.'
    ]
    assert said("start: {say: {en: Hello., gaurd: call.from}, next: bye}\n") == [
        'unknown-key: "gaurd" is not known here. Did you mean "guard"?'
    ]


def test_a_menu_is_read_in_each_language() -> None:
    found = of_languages("""
  start:
    menu:
      prompt: {en: "For sales press 1, for help press 2.", de: Für den Verkauf sagen Sie Verkauf.}
      choices: {sales: {dtmf: "1", speech: {en: sales, de: Verkauf}}, help: {dtmf: "2"}}
    next: bye
""")
    assert found == ['silent-key: No prompt mentions "help" in de-DE. Mention its key or its spoken form.']


@pytest.mark.parametrize(
    ("closed", "found"),
    [
        ("{en: Christmas Eve, de: Heiliger Abend}", []),
        ("{en: Christmas Eve}", ['language: There is no text in de-DE. Add "de".']),
        ("Christmas Eve", [f"language: {IN_ONE_ONLY}"]),
    ],
)
def test_the_reason_of_a_closed_day_is_there_in_each_language(closed: str, found: list[str]) -> None:
    head = f"""languages: [en-US, de-DE]
calendars: {{office: {{weekly: {{mon-fri: "09:00-17:00"}}, closed: {{2026-12-24: {closed}}}}}}}"""
    start = """
  start: {decide: [{guard: calendar.office.open, target: bye}, shut]}
  shut:
    say: {guard: calendar.office.notice, text: "{{ calendar.office.notice }}."}
    next: bye
"""
    told = of_languages(start, head)
    assert [one for one in told if one.startswith("language")] == found


def test_a_reason_that_is_never_said_is_written_once() -> None:
    head = """languages: [en-US, de-DE]
calendars: {office: {weekly: {mon-fri: "09:00-17:00"}, closed: {2026-12-24: Christmas Eve}}}"""
    told = of_languages("  start: {decide: [{guard: calendar.office.open, target: bye}, bye]}", head)
    assert not [one for one in told if one.startswith("language")]


def test_a_guard_compares_the_language_with_one_of_the_flow() -> None:
    start = "  start: {say: {guard: language == '%s', en: Hello., de: Hallo.}, next: bye}"
    assert of_languages(start % "de-DE") == []
    assert [one.partition(":")[0] for one in of_languages(start % "de")] == ["never-equal"]


MENU = """
  start:
    menu:
      prompt: {{en: Say sales or service., de: Sagen Sie Verkauf oder Service.}}
      choices: {{sales: {{dtmf: "1", speech: {}}}, service: {{dtmf: "2", speech: {{en: service, de: Service}}}}}}
    next: bye
"""
HEARD_IN_ONE_ONLY = "These spoken forms are not written in each language of the flow. Write {en: […], de: […]}."


@pytest.mark.parametrize(
    ("speech", "found"),
    [
        ("{en: [sales, products], de: Verkauf}", []),
        ("{en-US: sales, de-DE: Verkauf}", []),
        ("{en: sales}", ['silent-key: No prompt mentions "sales" in de-DE. Mention its key or its spoken form.',
                         'language: There is no text in de-DE. Add "de".']),
        ("{en: sales, de: Verkauf, fr: vente}",
         ['language: "fr" is not a language of this flow. Its languages are en-US, de-DE.']),
        ("[sales, Verkauf]", [f"language: {HEARD_IN_ONE_ONLY}"]),
        ("{en: sales, de: Service}",
         ['duplicate-speech: "Service" is already used by "sales". Each spoken form must be different.']),
        ("{en: [sales, Sales], de: Verkauf}",
         ['duplicate-speech: "Sales" is already used by "sales". Each spoken form must be different.']),
        ("{en: [a, b, c, d, e, sales], de: Verkauf}",
         ['value: "en" has too many items. At most 5 are possible.']),
        ("{english: sales, de: Verkauf}",
         ['value: "english" is not a language tag. Write a language tag, such as en-US.']),
        ("{en: sales, de: '?'}",
         ['silent-key: No prompt mentions "sales" in de-DE. Mention its key or its spoken form.',
          'unsayable: "?" cannot be spoken: it has no letters and no digits. Write the words.']),
    ],
)  # fmt: skip
def test_what_callers_say_is_written_in_each_language(speech: str, found: list[str]) -> None:
    assert of_languages(MENU.format(speech)) == found


def test_a_spoken_form_that_is_a_value_alone_is_said_in_the_language_of_the_call() -> None:
    head = 'languages: [en-US, de-DE]\ncalendars: {office: {weekly: {mon-fri: "09:00-17:00"}}}'
    states = """
  start:
    menu:
      choices:
        day:
          foreach: calendar.office.days(3)
          speech: ["{{ day | weekday }}"]
          prompt: {en: "For {{ day | date }} press {{ key }}.", de: "Für {{ day | date }} die {{ key }} drücken."}
    on: {day: bye, empty: bye}
"""
    assert of_languages(states, head) == []
    assert of_languages(states.replace('"{{ day', '"on {{ day'), head) == [f"language: {HEARD_IN_ONE_ONLY}"]


def test_commands_and_answers_to_confirm_have_their_words_in_each_language() -> None:
    head = "languages: [en-US, de-DE]\ncommands: {operator: {dtmf: '0', speech: [operator]}}"
    start = """
  start:
    digits:
      prompt: {en: Key it., de: Bitte eingeben.}
      confirm: {prompt: {en: Right?, de: Richtig?}, yes: {speech: ["yes"]}, no: {speech: {en: "no", de: nein}}}
    on: {digits: bye, operator: bye}
"""
    found = [one for one in of_languages(start, head) if one.startswith("language")]
    assert found == [f"language: {HEARD_IN_ONE_ONLY}"] * 2


UNSPOKEN = "The channel supports only en-US, not de-DE. Use audio files, and keys instead of speech."
UNHEARD = 'The channel does not understand de-DE, and "sales" has no key. Add a key.'


@pytest.mark.parametrize(
    ("say", "found"),
    [
        ("{en: Hello., de: {audio: 'https://contoso.example/de.wav', text: Hallo.}}", UNHEARD),
        ("{en: Hello., de: Hallo.}", UNSPOKEN),
    ],
)
def test_a_line_plays_audio_in_languages_that_it_does_not_speak(say: str, found: str) -> None:
    text = f"""
languages: [en-US, de-DE]
states:
  start: {{say: {say}, next: ask}}
  ask:
    menu:
      prompt: {{en: Say sales., de: {{audio: "https://contoso.example/a.wav", text: Sagen Sie Verkauf.}}}}
      choices: {{sales: {{speech: {{en: sales, de: Verkauf}}}}}}
    next: bye
    allow: {{speech-only: A test.}}
  bye: {{say: {{audio: "https://contoso.example/b.wav", text: "1"}}, final: true, outcome: unresolved}}
"""
    findings = load(whole(text), channel=SkypeChannel.can).findings
    assert [f"{one.message} {one.suggestion}" for one in findings if one.code == "channel"] == [found]
