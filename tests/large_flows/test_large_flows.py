"""Large flows: thousands of states are accepted, and the work of checking them grows as they do, no faster."""

import re
from cProfile import Profile
from pstats import Stats

import pytest

from ivr.flowfile.load import LoadedFlow
from ivr.flowfile.model_base import PUT_IN
from ivr.flowfile.texts import Use, in_single_braces
from ivr.flowfile.yaml import builder, reader
from tests.flowfile.reading import load

HEAD = "flow: large\ninitial: s0\non: {exhausted: bye, error: bye}\nstates:\n"
FOUR = """\
  s{0}:
    menu:
      prompt: For sales press 1 or say sales. For service press 2 or say service.
      choices:
        sales: {{dtmf: "1", speech: [sales]}}
        service: {{dtmf: "2", speech: [service]}}
      noInput: I did not hear you.
      noMatch: That is not one of the choices.
    on: {{sales: s{1}, service: bye}}
  s{1}:
    say: Thank you for calling. We go on.
    next: s{2}
  s{2}:
    digits:
      prompt: Please key the number of your order, then press pound.
      maxDigits: 8
      into: number_{0}
      noInput: [I did not hear you., I still cannot hear you.]
    next: s{3}
  s{3}:
    decide:
      - {{guard: number_{0} == '1234', target: bye}}
      - {{guard: visits.s{3} > 3, target: bye, say: "Your number was {{{{ number_{0} | digits }}}}."}}
      - s{4}
"""
"Four states, as an author writes them, that lead on to the next four."
END = """\
  s{0}: {{say: That was all., next: bye}}
  bye: {{say: Goodbye., final: true, outcome: unresolved}}
"""


def large(states: int) -> str:
    fours = (FOUR.format(*range(first, first + 5)) for first in range(0, states, 4))
    return HEAD + "".join(fours) + END.format(states)


def loaded_with_calls(text: str) -> tuple[LoadedFlow, int]:
    """Load a flow, and count the calls of functions that it took."""
    profile = Profile()
    profile.enable()
    loaded = load(text)
    profile.disable()
    return loaded, Stats(profile).total_calls  # type: ignore[attr-defined]  # its types leave that out


def test_a_flow_of_five_thousand_states_is_accepted() -> None:
    chain = "".join(f"  s{number}: {{say: We go on., next: s{number + 1}}}\n" for number in range(5000))
    loaded = load(HEAD + chain + END.format(5000))
    assert [found.code for found in loaded.findings] == ["long-way"]
    assert len(loaded.served().states) == 5002


def test_five_thousand_states_of_all_kinds_are_within_the_limits() -> None:
    text = large(100)
    assert len(text) * 50 < reader.MAX_BYTES
    assert len(re.findall(r"[^\s:,{}\[\]]+:|: \S|[,\[] ?[^\s{}]", text)) * 50 < builder.MAX_NODES


def test_four_times_as_many_states_are_four_times_the_work() -> None:
    load(large(8))  # what is done once for all
    small, some = loaded_with_calls(large(100))
    big, many = loaded_with_calls(large(400).replace("number_", "order_"))
    assert small.findings == big.findings == ()
    assert many / some == pytest.approx(4, rel=0.05)


@pytest.mark.parametrize("mistake", ["    next: nowhere", "    next: s1\n    colour: red", "    next: {{ s1 }}"])
def test_so_it_is_with_a_mistake_in_one_state(mistake: str) -> None:
    load(large(8))
    with_calls = [
        loaded_with_calls(large(states).replace("number_", name).replace("    next: s2\n", mistake + "\n", 1))
        for states, name in ((100, "own_"), (400, "other_"))
    ]
    (small, some), (big, many) = with_calls
    assert [one.code for one in small.findings] == [one.code for one in big.findings] != []
    assert many / some == pytest.approx(4, rel=0.15)


ASKS = """
flow: asks
language: {language}
initial: start
on: {{exhausted: bye, error: bye}}
states:
  start: {{menu: {{prompt: "{words}", choices: {{sales: {{dtmf: "1", speech: [sales]}}}}}}, next: bye}}
  bye: {{say: Goodbye., final: true, outcome: unresolved}}
"""


@pytest.mark.parametrize(
    ("language", "words"),
    [
        *(
            ("en", words)
            for words in ("press 1 ", "press 1 or 2 or ", "press pound or star key ", "and ", ", 1", "press ")
        ),
        *(("de", words) for words in ("drücken Sie die 1, ", "oder ")),
        *(("fr", "appuyez sur 1 "), ("es", "pulse el 1 ")),
    ],
)
def test_a_prompt_without_end_is_no_more_work_than_its_words(language: str, words: str) -> None:
    load(ASKS.format(language=language, words="press 1 "))
    _, some = loaded_with_calls(ASKS.format(language=language, words="press 1 " + words * 100))
    _, many = loaded_with_calls(ASKS.format(language=language, words="press 1 " + words * 400))
    assert many / some < 5


@pytest.mark.parametrize("words", ["{{", "{", "{a", "{a ", "}", "}}{{", "{ {"])
def test_braces_without_end_are_read_once(words: str) -> None:
    """With more than that, each of these texts would keep a server busy for minutes."""
    for text in (words * 60_000, words + " " * 120_000):
        use = Use((), text, "text", "prompt", None)
        assert list(in_single_braces(use)) == []
        assert PUT_IN.sub("", text).count("{{") == 0


def test_over_the_limit_a_file_is_told_so_and_where() -> None:
    aliases = ", ".join(["*hundred"] * (builder.MAX_NODES // 100))
    hundred = ", ".join(["x"] * 100)
    (found,) = load(f"flow: large\nmany: &hundred [{hundred}]\nmore: [\n{aliases}]\n").findings
    assert found.code == "size"
    assert "200,000 keys and values" in found.message
    assert found.line == 4
