"""Guards that look for what nothing ever is, and what a speech engine makes of phrases (LANGUAGE C8, C10)."""

import pytest

from ivr.flowfile.checks import Phrases
from ivr.flowfile.load import load_text
from ivr.speech.engines.sphinx.pronunciation import unpronounceable
from tests.flowfile.reading import NOWHERE, codes, flow, whole

MENU = """
start:
  menu:
    prompt: For sales press 1. For service press 2.
    choices: {sales: {dtmf: "1"}, service: {dtmf: "2"}}
    into: wish
  next: [{guard: "GUARD", target: right}, bye]
right: {say: Right., next: bye}
"""


@pytest.mark.parametrize(
    "guard",
    [
        "wish == 'sale'",
        "'sale' == wish",
        "wish != '1'",
        "choice == 'sale'",
        "wish | upper == 'SALE'",
        "wish in ['sales', 'help']",
        "'help' in wish",
        "call.from and not (wish == 'sale')",
        "wish == 'sales' or choice == '2'",
    ],
)
def test_a_guard_that_looks_for_no_choice_is_told(guard: str) -> None:
    assert [code for code in codes(MENU.replace("GUARD", guard)) if code != "unused"] == ["never-equal"]


@pytest.mark.parametrize(
    "guard",
    [
        "wish == 'sales'",
        "wish | lower == 'sales'",
        "wish | length == 5",
        "wish ~ 'x' == 'salesx'",
        "wish in ['sales', 'service']",
        "'ale' in wish",
        "wish == call.to",
        "call.from == 'sale'",
        "call.to in ['sale']",
    ],
)
def test_a_guard_that_looks_for_what_may_be_is_left_alone(guard: str) -> None:
    assert [code for code in codes(MENU.replace("GUARD", guard)) if code != "unused"] == []


def test_what_is_set_elsewhere_may_be_found_and_what_is_computed_may_be_anything() -> None:
    text = MENU.replace("GUARD", "wish == 'other'")
    assert codes(text.replace("say: Right.", "say: Right., set: {wish: other}")) == []
    assert codes(text.replace("say: Right.", 'say: Right., set: {wish: "{{ call.to }}"}')) == []
    limited = "variables: {wish: {values: [sales, service], default: sales}}\nstates:\n"
    inner = "".join(
        f"  {line}\n" for line in text.replace("say: Right.", 'say: Right., set: {wish: "{{ call.to }}"}').split("\n")
    )
    assert "never-equal" in codes(limited + inner)


def test_what_was_cut_out_may_be_the_value() -> None:
    assert "never-equal" not in codes(MENU.replace("GUARD", "wish == 'sale'").replace('dtmf: "2"', 'dtmf: "2x"'))
    assert "never-equal" in codes(
        MENU.replace("GUARD", "wish == 'sale'") + "more: {say: Hm., description: [a], next: bye}"
    )


@pytest.mark.parametrize(("guard", "number"), [("d == '12'", 0), ("d == '12345'", 1), ("'9' in d", 0), ("d == 'x'", 1)])
def test_what_is_keyed_can_be_what_can_be_keyed(guard: str, number: int) -> None:
    text = (
        f'start: {{digits: {{prompt: Key it., maxDigits: 4, into: d}}, next: [{{guard: "{guard}", target: end}}, bye]}}'
    )
    assert codes(text + "\nend: {say: Right., next: bye}") == ["never-equal"] * number


def test_the_digits_of_an_event_fit_their_variable() -> None:
    text = "variables: {d: {values: ['1', '2']}}\nstates:\n"
    text += "  start: {digits: {prompt: Key it., into: d}, next: [{guard: \"digits == '3'\", target: end}, told]}\n"
    text += "  told: {say: '{{ d | digits }}', next: bye}\n  end: {say: Right., next: bye}\n"
    assert codes(text) == ["never-equal"]


RECORD = """
start:
  record: {prompt: Say it., transcribe: true, PHRASES, into: m}
  next: [{guard: "GUARD", target: right}, bye]
  on: {error.transcribe: bye}
right: {say: Right., next: bye}
"""


def heard(guard: str, phrases: str = "phrases: [sales, the support]", only: bool = True) -> list[str]:
    text = whole(RECORD.replace("GUARD", guard).replace("PHRASES, ", f"{phrases}, " if phrases else ""))
    engine = Phrases(only, unpronounceable)
    loaded = load_text(text.encode(), file="flow.yaml", folder=NOWHERE, phrases=engine)
    return [f"{found.code} {found.line}" for found in loaded.findings]


@pytest.mark.parametrize(
    ("guard", "told"),
    [
        ("m.transcript == 'suport'", 1),
        ("transcript == 'Sales'", 1),
        ("transcript and 'suport' in transcript", 1),
        ("transcript and transcript | lower == 'sales'", 0),
        ("transcript and 'support' in transcript", 0),
        ("m.transcript is not none", 0),
        ("m.seconds > 5", 0),
    ],
)
def test_where_only_phrases_are_understood_the_words_are_one_of_them(guard: str, told: int) -> None:
    assert len(heard(guard)) == told
    assert heard(guard, only=False) == []
    assert heard(guard, phrases="") == []


def test_what_the_engine_has_no_sounds_for_is_told_once() -> None:
    assert heard("m.transcript", "phrases: [sales, Øresund, Zürich, '北京', R&D]") == ["speech 6", "unsayable 6"]


def test_a_spoken_form_with_braces_never_reaches_the_line() -> None:
    text = 'start: {menu: {prompt: Press 1., choices: {a: {dtmf: "1", speech: [yes, no]}}}, next: bye}'
    assert flow(text).states["start"].action.choices[0].offer.speech == ("yes", "no")  # type: ignore[attr-defined]
    for written, kept in (("[yes, '{{ a }}']", ("yes",)), ("['{{ a }}']", ())):
        loaded = load_text(whole(text.replace("[yes, no]", written)).encode(), file="flow.yaml", folder=NOWHERE)
        assert loaded.served().states["start"].action.choices[0].offer.speech == kept  # type: ignore[attr-defined]
