"""Prompts of a catalogue, and files that a flow includes: one whole under one hash (LANGUAGE C9, C16)."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.engine.commands import Text
from ivr.flowfile.bundle import Bundle
from ivr.flowfile.finding import as_text
from ivr.flowfile.flow_folder import find_flows
from ivr.flowfile.included_files import read_with_included
from ivr.flowfile.load import LoadedFlow, load_flow, rebuild, texts_of
from ivr.flowfile.validate import validate
from ivr.trace.flow_places import FlowPlaces
from tests.caller import Caller
from tests.engine.test_languages import heard
from tests.flowfile.reading import flow, said

MAIN = """\
flow: front-desk
languages: [en-US, de-DE]
initial: start
include: [common.yaml]
on: {error: bye}
states:
  start: {say: [{ref: greeting}, {ref: name, voice: female}], next: bye}
  bye: {say: {ref: bye}, final: true}
"""
COMMON = """\
description: What all our lines say.
prompts:
  greeting: {en: Good morning., de: Guten Tag., fr: Bonjour.}
  name: {en: "This is {{ company }}.", de: "Hier ist {{ company }}."}
  bye: {en: Goodbye., de: Auf Wiederhören.}
  never_said_here: {en: Please hold.}
variables: {company: Contoso, unused_here: 0}
"""


POSSIBLE = "It can have calendars, commands, destinations, prompts, variables."
IN_INCLUDED = "is not possible in a file that is included."


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "desk.yaml").write_text(MAIN, "utf-8")
    (tmp_path / "common.yaml").write_text(COMMON, "utf-8")
    return tmp_path


def loaded(folder: Path) -> LoadedFlow:
    return load_flow(folder / "desk.yaml", named="desk.yaml")


def found(folder: Path, common: str, main: str = MAIN) -> list[str]:
    """Return what is found in a flow whose included file is this one: place, code, message and advice."""
    (folder / "desk.yaml").write_text(main, "utf-8")
    (folder / "common.yaml").write_text(common, "utf-8")
    findings = loaded(folder).findings
    return [
        f"{one.file}:{one.line}:{one.column} {one.code}: {one.message} {one.suggestion}".strip() for one in findings
    ]


# --- prompts by name -------------------------------------------------------------------------------------------------


def test_a_part_says_a_prompt_of_the_catalogue_in_its_own_manner() -> None:
    flow_ = flow("""
prompts:
  hello: [Hello., {text: Again., voice: male}]
  both: [{ref: hello}, {text: Salut., language: fr-FR}]
states:
  start: {say: [{ref: both, voice: female}, {ref: hello, guard: call.from == 'nobody'}], next: bye}
""")
    caller = Caller(flow_)
    assert heard(caller)[:3] == [("en-US", "Hello."), ("en-US", "Again."), ("fr-FR", "Salut.")]
    [command] = [command for command in caller.commands if hasattr(command, "prompt")]
    assert [part.voice for part in command.prompt[:3]] == ["female", "male", "female"]


def test_a_part_says_a_prompt_of_the_catalogue_in_a_language() -> None:
    flow_ = flow("""
languages: [en-US, de-DE]
prompts: {hello: {en: "Hello, {{ language }}.", de: "Hallo, {{ language }}."}}
states:
  start: {say: {ref: hello, language: de}, next: bye}
  bye: {say: {en: Bye., de: Ade.}, final: true, outcome: unresolved}
on: {error: bye}
""")
    assert heard(Caller(flow_))[0] == ("de-DE", "Hallo, de-DE.")


@pytest.mark.parametrize(
    ("prompts", "found"),
    [
        ("{hello: Hi., helo: Ho.}", ['unused: Nothing refers to the prompt "helo". Use it with "ref", or delete it.']),
        ("{hallo: Hi.}",
         ['unused: Nothing refers to the prompt "hallo". Use it with "ref", or delete it.',
          'ref: No prompt is called "hello". Did you mean "hallo"?']),
        ("{other: Hi.}",
         ['unused: Nothing refers to the prompt "other". Use it with "ref", or delete it.',
          'ref: No prompt is called "hello". Write it under "prompts".']),
        ("{hello: [{ref: other}], other: {ref: hello}}",
         ["ref: This prompt refers to itself: hello → other → hello. Write out one of them."]),
        ("{hello: [{reff: other}], other: Hi.}",
         ['unknown-key: "reff" is not known here. Did you mean "ref"?']),
    ],
)  # fmt: skip
def test_a_reference_leads_to_a_prompt_and_not_in_a_circle(prompts: str, found: list[str]) -> None:
    assert said(f"prompts: {prompts}\nstates:\n  start: {{say: {{ref: hello}}, next: bye}}\n") == found


def test_an_expression_in_a_prompt_of_the_catalogue_is_checked_where_it_is_said() -> None:
    text = """
prompts: {told: "You keyed {{ code }}."}
states:
  start: {digits: {prompt: {ref: told}, into: code}, next: told}
  told: {say: {ref: told}, next: bye}
"""
    assert said(text)[0].startswith('unset: "code" may have no value here.')


# --- included files --------------------------------------------------------------------------------------------------


def test_a_flow_says_what_an_included_file_holds_in_its_own_languages(folder: Path) -> None:
    one = loaded(folder)
    assert not one.findings, as_text(one.findings)
    assert [words for _, words in heard(Caller(one.served(), language="de"))] == [
        "Guten Tag.", "Hier ist Contoso.", "Auf Wiederhören."
    ]  # fmt: skip
    assert one.beside == ("common.yaml",)


def test_the_hash_is_taken_over_the_included_file_and_a_stored_flow_needs_no_folder(folder: Path) -> None:
    before = loaded(folder)
    assert before.bundle is not None
    (folder / "common.yaml").write_text(COMMON.replace("Contoso", "Fabrikam"), "utf-8")
    after = loaded(folder)
    assert after.served().hash != before.served().hash
    (folder / "common.yaml").unlink()
    kept = rebuild(Bundle.decode(before.bundle.encode(), before.served().hash))
    assert kept.served().hash == before.served().hash
    assert [words for _, words in heard(Caller(kept.served()))][1] == "This is Contoso."


def test_the_texts_of_a_flow_name_the_included_file(folder: Path) -> None:
    bundle = loaded(folder).bundle
    assert bundle is not None
    texts = [(one.place, one.state, [text.value for text in one.spoken]) for one in texts_of(bundle)]
    assert texts[0] == ("line 3 of common.yaml", None, ["Good morning."])
    assert texts[3] == ("line 4 of common.yaml", None, ["Hier ist Contoso."])
    assert len(texts) == 6


def test_a_finding_in_an_included_file_names_it_and_its_line(folder: Path) -> None:
    assert found(folder, COMMON.replace("en: Good morning.", 'en: "{{ compny }}."')) == [
        'common.yaml:3:22 undefined: Unknown name "compny". Did you mean "company"?'
    ]
    assert found(folder, COMMON.replace("de: Guten Tag., ", "")) == [
        'common.yaml:3:3 language: There is no text in de-DE. Add "de".'
    ]
    assert found(folder, COMMON.replace("en: Good", "colour: red, en: Good"))[0] == (
        'common.yaml:3:14 unknown-key: "colour" is not known here. Possible: guard, voice, language, emphasize, sayAs.'
    )
    assert found(folder, COMMON.replace("Good morning.", "Good: morning."))[0].startswith("common.yaml:3:")


def test_a_replay_finds_a_shared_text_in_its_own_file(folder: Path) -> None:
    bundle = loaded(folder).bundle
    assert bundle is not None
    places = FlowPlaces(bundle.file, bundle.text, bundle.included)
    assert str(places.spoken(Text("Hier ist Contoso.", "female", "de-DE"), ["start"])) == "common.yaml:4:44"
    assert str(places.state("bye")) == "desk.yaml:8:3"


def test_a_folder_of_flows_has_included_files_beside_them(folder: Path) -> None:
    found = find_flows([folder])
    assert [file.name for file in found.flows] == ["desk.yaml"]
    assert [one.file.name for one in found.skipped] == ["common.yaml"]


def test_a_name_is_written_once_in_all_files(folder: Path) -> None:
    assert found(folder, COMMON, MAIN.replace("states:", "variables: {company: Fabrikam}\nstates:")) == [
        'common.yaml:7:13 include: "company" is already in the variables of desk.yaml, line 6. Rename one of them.'
    ]
    (folder / "more.yaml").write_text("prompts: {bye: {en: Bye., de: Ade.}}\n", "utf-8")
    assert found(folder, COMMON, MAIN.replace("[common.yaml]", "[common.yaml, more.yaml]")) == [
        'more.yaml:1:11 include: "bye" is already in the prompts of common.yaml, line 5. Rename one of them.'
    ]


@pytest.mark.parametrize(
    ("common", "expected"),
    [
        ("", f'desk.yaml:4:11 include: "common.yaml" is empty. {POSSIBLE}'),
        ("states: {a: {say: Hi., final: true}}\n" + COMMON,
         f'common.yaml:1:1 include: "states" {IN_INCLUDED} A flow is not included; use "invoke".'),
        ("include: more.yaml\n" + COMMON,
         f'common.yaml:1:1 include: "include" {IN_INCLUDED} {POSSIBLE}'),
        ("prompts: [", "common.yaml:1:11 syntax: "),
        ("- a list\n", "common.yaml:1:1 syntax: "),
        ("prompts: Hi.\n", "common.yaml:1:10 value: Expected prompts (name: value). "),
    ],
)  # fmt: skip
def test_an_included_file_has_what_can_be_shared_and_nothing_else(folder: Path, common: str, expected: str) -> None:
    assert found(folder, common)[0].startswith(expected)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ("missing.yaml", 'There is no file "missing.yaml". It must be in the flow\'s folder.'),
        ("[common.yaml, common.yaml]", '"common.yaml" is included twice. Delete one of them.'),
        ("../other.yaml", '"../other.yaml" is outside of the flow\'s folder. Put it beside the flow.'),
        ("/dev/null", '"/dev/null" is outside of the flow\'s folder. Put it beside the flow.'),
        (".", 'There is no file ".". It must be in the flow\'s folder.'),
    ],
)
def test_a_file_of_the_folder_is_included_once(folder: Path, names: str, expected: str) -> None:
    (folder.parent / "other.yaml").write_text(COMMON, "utf-8")
    main = MAIN.replace("[common.yaml]", names)
    assert any(one.endswith(expected) for one in found(folder, COMMON, main)), found(folder, COMMON, main)


def test_a_flow_includes_fifty_files_at_most(folder: Path) -> None:
    names = [f"part{number}.yaml" for number in range(51)]
    for name in names:
        (folder / name).write_text("description: Nothing yet.\n", "utf-8")
    main = MAIN.replace("[common.yaml]", f"[{', '.join(names)}]")
    assert any("More than 50 files are included." in one for one in found(folder, COMMON, main))


def test_the_fixes_of_a_flow_do_not_touch_an_included_file(folder: Path) -> None:
    found(folder, COMMON.replace("{{ company }}", "{{ compny }}").replace("voice", "voic"))
    assert all(one.fix is None for one in loaded(folder).findings if one.file == "common.yaml")


def test_every_section_that_can_be_shared_is_the_flows_own(folder: Path) -> None:
    (folder / "desk.yaml").write_text(
        """\
flow: desk
initial: start
include: [common.yaml]
on: {exhausted: bye, error: bye}
states:
  start:
    menu: {prompt: "For the desk press 1, for help press 0.", choices: {desk: {dtmf: "1"}}}
    on: {desk: [{guard: calendar.office.open and tries == 0, target: connect}, bye], help: start}
  connect: {transfer: {to: desk}, on: {failed: bye}}
  bye: {say: {ref: bye}, final: true, outcome: unresolved}
""",
        "utf-8",
    )
    (folder / "common.yaml").write_text(
        """\
prompts: {bye: Goodbye.}
commands: {help: {dtmf: "0", prompt: For help press 0.}}
destinations: {desk: "+4315550100"}
calendars: {office: {weekly: {mon-fri: "09:00-17:00"}}}
variables: {tries: 0}
""",
        "utf-8",
    )
    one = loaded(folder)
    assert not [found for found in one.findings if found.is_error], as_text(one.findings)
    caller = Caller(one.served()).presses("0")
    assert caller.call.state == "start"
    assert caller.presses("1").call.memory.visits["connect"] == 1


@given(
    st.binary(max_size=100)
    | st.text(max_size=100).map(lambda text: text.encode("utf-8", "replace"))
    | st.integers(0, len(COMMON)).map(lambda end: COMMON[:end].encode())
)
@settings(max_examples=60)
def test_an_included_file_may_hold_anything(data: bytes) -> None:
    whole = read_with_included("desk.yaml", MAIN.encode(), lambda name: data)
    assert whole.included == {"common.yaml": data}
    assert {found.file for found in whole.reading.findings} <= {"desk.yaml", "common.yaml"}
    validate(whole.reading)
