"""A file that is no YAML is taken apart: what is wrong in each part is told, and what is whole is read on."""

import pytest

from ivr.engine.expressions.types import TEXT, Type
from ivr.flowfile.checks.known_variables import known_of
from ivr.flowfile.checks.samples import Samples
from ivr.flowfile.document import Document
from ivr.flowfile.texts import uses
from ivr.flowfile.validate import validate
from ivr.flowfile.yaml import reader
from ivr.flowfile.yaml.mistakes import MistakeLog
from tests.flowfile.reading import load

HEAD = "flow: x\ninitial: a\non: {exhausted: bye, error: bye}\nstates:\n"
END = "  bye: {say: Goodbye., final: true}\n"

BROKEN = {
    "one item that is no YAML": ('  a:\n    say:\n      - "unclosed\n    next: bye\n', {"quote"}),
    "a text on a line of its own": ("  a:\n    say:\n      @hello\n    next: bye\n", {"at"}),
    "items that are not below each other": (
        "  a:\n    say:\n        - one @\n      - two: @\n    next: bye\n",
        {"syntax"},
    ),
    "an item over two lines": ('  a:\n    say:\n      - "one\n        two"\n      - @three\n    next: bye\n', {"at"}),
    "a key twice": (
        "  a: {say: @x, next: bye}\n  b: {say: x, next: bye}\n  b: {say: y, next: bye}\n",
        {"duplicate-key"},
    ),
    "tabs below tabs": ("  a:\n\t\tsay: Hello.\n\t\tnext: bye\n\t\ton:\n\t\t\terror: bye\n", {"tab"}),
    "pound alone in braces": ("  a:\n    menu: {prompt: p, choices: {b: {dtmf: #}}}\n    next: bye\n", {"hash"}),
    "a remark in braces": (
        "  a:\n    menu: {prompt: press it # now}, choices: {b: {dtmf: '1'}}}\n    next: bye\n",
        {"hash"},
    ),
    "a list that never ends": ("  a:\n    say: [one, two\n    next: bye\n", {"syntax"}),
    "braces that never end": ("  a: {say: one, next: bye\n  b: {say: two, next: bye}\n", {"syntax"}),
    "a quote that never ends": ("  a: {say: Hello., next: bye}\n  b: {say: 'two, next: bye}\n", {"quote"}),
    "a target that is no YAML": ("  a: {say: one, next: @bye}\n", {"at"}),
    "a key that is indented too little": (
        "  a:\n   say: one\n    next: bye\n  b:\n    say: two\n    next: bye\n  c:\n    say: x\n    next: bye\n",
        {"syntax"},
    ),
    "a second document": ("  a: {say: one, next: bye}\n--- \n", {"syntax"}),
    "a comma in a list with a mistake": ("  a: {say: [Hello, there @x, @y], next: bye}\n", {"at"}),
    "an end of the document": ("  a: {say: one, next: bye}\n...\n", {"syntax"}),
    "a list of broken items": ("  a:\n    say: [Hello, @there, one]\n    next: bye\n", {"at"}),
    "an empty list in a broken file": ("  a: {say: [], next: bye}\n  b: {say: @x, next: bye}\n", {"empty", "at"}),
}


@pytest.mark.parametrize(("states", "codes"), BROKEN.values(), ids=BROKEN.keys())
def test_what_is_wrong_in_a_part_is_told(states: str, codes: set[str]) -> None:
    found = {one.code for one in load(HEAD + states + END).findings}
    assert codes <= found, found


@pytest.mark.parametrize(
    "before", ["*\n# c\n", "%x\n", "--- \n...\n", "...\n---\n", "%YAML 1.2\n---\n...\n", "\n...\n", "# c\n...\n"]
)
def test_what_stands_before_a_document_ends_in_a_finding(before: str) -> None:
    assert any(one.is_error for one in load(before + HEAD + "  a: {say: one, next: bye}\n" + END).findings)


def test_what_is_no_mistake_in_any_part_is_one_of_the_whole() -> None:
    found = load("...\n" + HEAD + "  a: {say: one, next: bye}\n" + END).findings
    assert [(one.code, one.line) for one in found] == [("syntax", 1)]


def test_a_file_is_never_refused_without_a_word() -> None:
    source = reader.read("flow.yaml", (HEAD + END).encode()).source
    log = MistakeLog()
    reader.BrokenFileReader(source, log).root()
    assert [one.code for one in log.found] == ["syntax"]


def test_a_list_is_tried_with_something_and_with_nothing() -> None:
    assert list(Samples({}).of("words", Type("list", item=TEXT), [], [])) == ["something", ""]


def test_all_names_of_a_moment_can_be_counted() -> None:
    reading = reader.read("flow.yaml", (HEAD + "  a: {say: 'From {{ call.to }}.', next: bye}\n" + END).encode())
    model = validate(reading).model
    assert model is not None
    document = Document(reading.source, model)
    env = known_of(document).scene(next(iter(uses(document)))).env
    assert len(env) == len(list(env))
    assert {"call", "now", "today", "visits"} <= set(env)
