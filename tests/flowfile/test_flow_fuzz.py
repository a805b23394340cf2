"""Whatever a flow file holds, there is a finding or a flow, never an exception, and after bounded work."""

import re
from cProfile import Profile
from pstats import Stats

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ivr.flowfile.checks import CHECKS
from ivr.flowfile.finding import as_text
from ivr.flowfile.yaml.mistakes import MAX_ERRORS
from ivr.flowfile.yaml.reader import read
from tests.flowfile.reading import HERE, load, whole

GOOD = [file.read_text("utf-8") for file in sorted((HERE / "good").glob("*.yaml"))]
EXAMPLES = [whole(text) for each in CHECKS.values() for text in (each.bad, each.good) if text]
WORDS = sorted(set(re.findall(r"[\w.]+|[^\w\s]|\n *", "\n".join([*GOOD, *EXAMPLES]))))
SIZE = 1 << 16
"Characters of a hostile file: a part of what is allowed, so that the tests stay quick; all costs are linear in it."
CALLS = 500
"Calls of functions for each character of such a file, at most; none takes 300. Nothing here looks at a clock."


def survives(text: str | bytes) -> None:
    loaded = load(text)
    assert loaded.flow is not None or any(found.is_error for found in loaded.findings)
    rendered = as_text(loaded.findings)
    assert rendered.isprintable() or all(char.isprintable() or char == "\n" for char in rendered)


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


def lines(number: int, written: str) -> str:
    """Write many lines; `@` is the number of each."""
    return "".join(written.replace("@", str(n)) + "\n" for n in range(number))


HOSTILE = {
    "brackets": "[" * SIZE,
    "braces": "{" * SIZE,
    "dashes": "- " * (SIZE // 2),
    "question marks": "? " * (SIZE // 2),
    "colons": "a: " * (SIZE // 3),
    "items": "[" + "a," * (SIZE // 2 - 1),
    "words in brackets": "[" + "a " * (SIZE // 2 - 1),
    "a long text": "flow: " + "a " * (SIZE // 2 - 3),
    "a long quoted text": 'flow: "' + "a\n" * (SIZE // 2 - 4) + '"',
    "a long key": "a" * (SIZE - 3) + ": b",
    "empty lines": "\n" * SIZE,
    "comments": "#\n" * (SIZE // 2),
    "anchors": "[" + "&a [" * (SIZE // 4 - 1),
    "aliases": "a: &a [x]\nb: [" + "*a, " * (SIZE // 4 - 10),
    "stars": "*\n" * (SIZE // 2),
    "tags": "!a " * (SIZE // 3),
    "expressions": "flow: x\ninitial: a\nstates: {a: {say: '" + "{{ now }} " * 25_000 + "', final: true}}",
    "parentheses": "flow: x\ninitial: a\nstates: {a: {decide: [{guard: '" + "(" * 9000 + "', target: a}, a]}}",
    "nots": "flow: x\ninitial: a\nstates: {a: {decide: [{guard: '" + "not " * 2400 + "now', target: a}, a]}}",
    "fields": "flow: x\ninitial: a\nstates: {a: {say: '{{ now" + ".a" * 4500 + " }}', final: true}}",
    "tildes": "flow: x\ninitial: a\nstates: {a: {say: '{{ now" + " ~ now" * 1600 + " }}', final: true}}",
}


BASE = "flow: x\ninitial: a\nstates: {a: {say: Hi., final: true}}\nvariables:\n"
HOSTILE |= {
    "duplicate keys behind empty lines": BASE + "\n" * SIZE + "  k: 1\n" * 190,
    "duplicate keys": BASE + "  k: 1\n" * 4900,
    "duplicate keys in one line": BASE.rstrip("\n") + " {" + "k: 1, " * 4900 + "}",
    "no values": BASE + lines(4900, "  k@:"),
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_file_ends_in_a_finding_after_bounded_work(text: str) -> None:
    with Profile() as profile:
        survives(text)
    assert Stats(profile).total_calls < CALLS * len(text)  # type: ignore[attr-defined]  # its types leave that out


def test_a_thousand_places_in_one_text_are_found_with_one_look_at_it() -> None:
    source = read("flow.yaml", b"say: '" + b"{{ call.from }}" * 6000 + b"'").source
    with Profile() as profile:
        columns = [source.within(("say",), 15 * number + 3, 9).column for number in range(1000)]
    assert columns == [15 * number + 10 for number in range(1000)]
    assert Stats(profile).total_calls < CALLS * len(source.text)  # type: ignore[attr-defined]  # as above


@pytest.mark.parametrize("text", [BASE + "  k: 1\n" * 4900, BASE + lines(4900, "  k@:")])
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


HEAD = "flow: x\ninitial: s0\non: {error: end, exhausted: end}\n"
END = "  end: {say: Bye., final: true}\n"


def states(number: int, written: str) -> str:
    """Write many states; `@` is the number of each, `+` that of the next, and the last leads to the end."""
    lines = [f"  s@: {{{written}}}\n".replace("+", str(n + 1)).replace("@", str(n)) for n in range(number)]
    return "states:\n" + "".join(lines) + f"  s{number}: {{say: Well., next: end}}\n" + END


LARGE = {
    "a chain": HEAD + states(1200, "say: State., next: s+"),
    "rounds that are counted": HEAD + states(500, "say: State., next: [{guard: visits.s@ < 3, target: s0}, s+]"),
    "many variables and many texts": (
        f"{HEAD}variables:\n{lines(1500, '  v@: 0')}states:\n  s0:\n    say:\n"
        + lines(1500, "      - '{{ v@ }}'")
        + f"    next: end\n{END}"
    ),
    "many variables, each set in a state": HEAD + states(480, "digits: {prompt: Key it., into: v@}, next: s+"),
    "many recordings": HEAD + states(480, "record: {prompt: Speak., into: v@}, next: s+"),
    "many texts in a handler of the flow": (
        "flow: x\ninitial: s0\non:\n  exhausted: end\n  error:\n    target: end\n    say:\n"
        + lines(1200, "      - '{{ reason }}'")
        + states(600, "say: State., next: s+")
    ),
    "many branches": (
        f"{HEAD}states:\n  s0:\n    say: Hello.\n    next:\n"
        + lines(1400, "      - {guard: visits.s0 == @, target: end}")
        + f"      - end\n{END}"
    ),
    "many mistyped targets": HEAD + states(1000, "say: State., next: sx+"),
    "many mistyped keys": HEAD + states(1000, "say: State., nxet: s+"),
    "many mistyped names": (
        f"{HEAD}variables:\n{lines(800, '  variable_@: 0')}states:\n  s0:\n    say:\n"
        + lines(1200, "      - '{{ variabel_@ }}'")
        + f"    next: end\n{END}"
    ),
    "many values that may be missing": (
        f"{HEAD}variables:\n{lines(400, '  v@: {type: text}')}" + states(400, "say: '{{ v@ }}', next: s+")
    ),
    "many states": HEAD + states(3000, "say: State., next: s+"),
}


@pytest.mark.parametrize("text", LARGE.values(), ids=LARGE.keys())
def test_the_largest_flows_are_checked(text: str) -> None:
    survives(text)  # how the work grows with them is counted in `test_large_flows`
