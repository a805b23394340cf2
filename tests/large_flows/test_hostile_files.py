"""Hostile files end in a finding after bounded work, and the largest flows are checked: no file keeps a server busy."""

from cProfile import Profile
from pstats import Stats

import pytest

from ivr.flowfile.yaml.reader import read
from tests.flowfile.reading import survives

SIZE = 1 << 15
"Characters of a hostile file: a part of what is allowed, so that the tests stay quick; all costs are linear in it."
CALLS = 500
"Calls of functions for each character of such a file, at most; none takes 300. Nothing here looks at a clock."


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
