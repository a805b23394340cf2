"""The published JSON Schema and the reader know the same words; shipped flows are valid by both."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from ivr.flowfile.included_files import COMMENT, SHARED
from ivr.flowfile.model import FlowFile
from ivr.flowfile.schema import included_schema, keys, schema, schema_text
from tests.flowfile.reading import HERE, load

SCHEMA = schema()
INCLUDED = included_schema()
VALIDATOR = Draft202012Validator(SCHEMA)
SHIPPED = sorted((HERE.parents[1] / "flows").glob("*.yaml"))
GOOD = sorted((HERE / "good").glob("*.yaml"))


def as_an_editor_sees_it(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(text)


def complaints(text: str, validator: Draft202012Validator = VALIDATOR) -> list[str]:
    return [error.message for error in validator.iter_errors(as_an_editor_sees_it(text))]


@pytest.mark.parametrize("included", [False, True])
def test_the_schemas_are_schemas(*, included: bool) -> None:
    printed = json.loads(schema_text(included=included))
    assert printed == (INCLUDED if included else SCHEMA)
    Draft202012Validator.check_schema(printed)


def test_an_included_file_has_the_sections_that_can_be_shared_and_nothing_else() -> None:
    validator = Draft202012Validator(INCLUDED)
    assert set(INCLUDED["properties"]) == {COMMENT, *SHARED}
    assert "State" not in INCLUDED["$defs"]
    assert complaints((HERE.parents[1] / "flows" / "shared" / "office.yaml").read_text("utf-8"), validator) == []
    assert complaints("commands: {operator: {dtmf: '0', speech: operator}}\nvariables: {name: none}", validator) == []
    for wrong in (
        "states: {a: {say: Hello., final: true}}",
        "include: [other.yaml]",
        "calendars: {office: {hours: 9}}",
    ):
        assert complaints(wrong, validator)


@pytest.mark.parametrize("file", [*SHIPPED, *GOOD], ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_good_flows_are_valid_by_the_schema(file: Path) -> None:
    assert complaints(file.read_text("utf-8")) == []


@pytest.mark.parametrize(
    "text",
    [
        "flow: x\ninitial: a\nstates: {a: {say: Hello., final: true, colour: red}}",
        "flow: x\ninitial: a\nstates: {a: {digits: {prompt: Key it., maxAttempts: 11}, next: a}}",
        "flow: x\ninitial: a\nstates: {a: {digits: {prompt: Key it., initialSilence: 5}, next: a}}",
        "flow: x\ninitial: a\nstates: {a: {menu: {prompt: Go., choices: {go: {dtmf: '1e'}}}, next: a}}",
        "flow: x\ninitial: a\nstates: {a: {say: Hello., next: {guard: now}}}",
        "flow: x\ninitial: a\nstates: {}",
        "flow: x\ninitial: a\nvoice: boy\nstates: {a: {say: Hello., final: true}}",
        "initial: a\nstates: {a: {say: Hello., final: true}}",
    ],
)
def test_what_the_model_refuses_an_editor_underlines_too(text: str) -> None:
    assert complaints(text)
    assert any(found.is_error for found in load(text).findings)


@pytest.mark.parametrize(
    "text",
    [
        "say: 42, final: true",
        "digits: {prompt: true, reprompt: false, bargeIn: false, terminators: none, maxDigits: 4}, next: a",
        "digits: {prompt: [Hello., {silence: 5s}], noInput: [a., [b., {text: c.}]], noMatch: {text: d.}}, next: a",
        "menu: {prompt: Go., choices: {go: {dtmf: 1, speech: go}, b: {dtmf: '#'}}}, next: [{guard: now, target: a}, a]",
        "say: {audio: x.wav, text: Music.}, on: {done: a, error: {target: a, set: {v: 1}, say: Oh.}}",
    ],
)
def test_short_forms_are_valid_by_the_schema(text: str) -> None:
    assert complaints(f"flow: x\ninitial: a\nvariables: {{v: 0, w: {{type: [text]}}}}\nstates: {{a: {{{text}}}}}") == []


def test_every_key_has_a_description_for_the_editor() -> None:
    parts = {"FlowFile": SCHEMA, **SCHEMA["$defs"]}
    missing = [
        f"{part}.{key}"
        for part, body in parts.items()
        for key, value in body.get("properties", {}).items()
        if "description" not in {**value, **parts.get(value.get("$ref", "").rpartition("/")[2], {})}
    ]
    assert missing == []


def test_the_schema_has_exactly_the_words_of_the_model() -> None:
    parts = {"FlowFile": SCHEMA, **SCHEMA["$defs"]}
    assert {part: tuple(body.get("properties", {})) for part, body in parts.items()} == keys()
    assert keys()["FlowFile"] == FlowFile.words()
