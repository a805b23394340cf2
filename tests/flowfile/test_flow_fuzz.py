"""Whatever a flow file holds, there is a finding or a flow, never an exception."""

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ivr.flowfile.checks import CHECKS
from ivr.flowfile.checks.expression_use import MOST
from ivr.flowfile.yaml.mistakes import MAX_ERRORS
from ivr.flowfile.yaml.syntax import LONGEST_SCANNED
from tests.flowfile.reading import HERE, load, survives, whole

GOOD = [file.read_text("utf-8") for file in sorted((HERE / "good").glob("*.yaml"))]
EXAMPLES = [whole(text) for each in CHECKS.values() for text in (each.bad, each.good) if text]
WORDS = sorted(set(re.findall(r"[\w.]+|[^\w\s]|\n *", "\n".join([*GOOD, *EXAMPLES]))))


@given(st.binary(max_size=300))
def test_any_bytes(data: bytes) -> None:
    survives(data)


@given(st.text(max_size=300))
def test_any_text(text: str) -> None:
    survives(text.encode("utf-8", "surrogatepass"))


@given(st.lists(st.sampled_from([*WORDS, " ", ": ", "\n  ", "\n    ", "- "]), max_size=60))
def test_any_words_of_the_language(words: list[str]) -> None:
    survives("".join(words))


edits = st.lists(
    st.tuples(
        st.integers(0, 5000), st.integers(0, 40), st.sampled_from([*WORDS, "", " ", ": ", "\t", "{{", "}}", "*"])
    ),
    min_size=1,
    max_size=5,
)


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.sampled_from([*GOOD, *EXAMPLES]), edits)
def test_flows_with_mistakes_put_in(text: str, mistakes: list[tuple[int, int, str]]) -> None:
    for at, length, word in mistakes:
        start = at % (len(text) + 1)
        text = text[:start] + word + text[start + length :]
    survives(text)


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.sampled_from([*GOOD, *EXAMPLES]), st.data())
def test_flows_with_lines_moved_or_lost(text: str, data: st.DataObject) -> None:
    lines = text.split("\n")
    moved = data.draw(st.integers(0, len(lines) - 1))
    line = lines.pop(moved)
    if data.draw(st.booleans()):
        lines.insert(data.draw(st.integers(0, len(lines))), line)
    survives("\n".join(lines))


BASE = "flow: x\ninitial: a\nstates: {a: {say: Hi., final: true}}\nvariables:\n"
HEAD = "flow: x\ninitial: s0\non: {error: end, exhausted: end}\n"
END = "  end: {say: Bye., final: true}\n"


@pytest.mark.parametrize("text", [BASE + "  k: 1\n" * 4900, BASE + "".join(f"  k{n}:\n" for n in range(4900))])
def test_after_two_hundred_errors_a_file_is_not_read_further(text: str) -> None:
    found = load(text).findings
    assert len(found) == MAX_ERRORS + 1
    assert [one.message for one in found if one.code == "size"] == [
        "There are more than 200 mistakes; the file was not read further."
    ]


def test_warnings_do_not_refuse_a_flow_however_many_there_are() -> None:
    said = "".join(f"  s{n}: {{next: s{n + 1}, say: Wait. #\n    }}\n" for n in range(MAX_ERRORS + 50))
    loaded = load(f"{HEAD}states:\n{said}  s{MAX_ERRORS + 50}: {{say: Well., next: end}}\n{END}")
    assert sum(found.code == "hash" for found in loaded.findings) == MAX_ERRORS + 50
    assert loaded.flow is not None


def test_of_errors_in_expressions_the_first_fifty_are_shown() -> None:
    said = "".join(f"    - '{{{{ nobody_{n} }}}}'\n" for n in range(MOST + 5))
    found = load(f"{HEAD}states:\n  s0:\n    say:\n{said}    next: end\n{END}").findings
    assert [one.code for one in found] == ["undefined"] * MOST


def test_what_stopped_the_reader_is_told_in_a_text_that_is_too_long_to_be_scanned_again() -> None:
    long = "".join(f"  # a remark {n}\n" for n in range(LONGEST_SCANNED // 10))
    found = load(f"{HEAD}states:\n{long}  s0: {{say: 'Hi.' Ho., next: end}}\n{END}").findings
    assert [(one.code, one.line) for one in found] == [("syntax", 5 + LONGEST_SCANNED // 10)]
