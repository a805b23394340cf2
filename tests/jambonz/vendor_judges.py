"""What jambonz's own packages say of what we write and sign: its verb specifications, JSON schemas and SDK."""

import json
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import referencing
import referencing.jsonschema

PEERS = Path(__file__).parents[1] / "peers"
NODE = shutil.which("node")
PACKAGES = PEERS / "node_modules/@jambonz"
SCHEMAS = PACKAGES / "schema"

needs_packages = pytest.mark.skipif(not SCHEMAS.exists(), reason="run `npm install` in tests/peers (make test does)")
needs_node = pytest.mark.skipif(
    NODE is None or not SCHEMAS.exists(), reason="needs Node, and `npm install` in tests/peers (make test does)"
)


def complaints(questions: Sequence[dict[str, Any]]) -> list[str | None]:
    """Ask the vendor's JavaScript, all questions at once; None is no complaint."""
    asked = "".join(json.dumps(question) + "\n" for question in questions)
    answered = subprocess.run(
        [NODE or "node", "jambonz_judge.js"], cwd=PEERS, input=asked, capture_output=True, text=True, check=True
    )
    answers: list[str | None] = [json.loads(line) for line in answered.stdout.splitlines()]
    assert len(answers) == len(questions)
    return answers


def schema_complaints(verbs: Iterable[dict[str, Any]]) -> list[str]:
    """Return what the vendor's JSON schemas say against the verbs of a document, nested ones too."""
    return [f"{verb['verb']}: {error.message}" for verb in verbs for error in _validator(_file(verb)).iter_errors(verb)]


def payload_complaints(name: str, payload: dict[str, Any]) -> list[str]:
    """Return what the vendor's JSON schema of a hook's payload says against one."""
    return [error.message for error in _validator(f"callbacks/{name}.schema.json").iter_errors(payload)]


def _file(verb: dict[str, Any]) -> str:
    name = {"rest:dial": "rest_dial"}.get(verb["verb"], verb["verb"].replace(":", "-"))
    return f"verbs/{name}.schema.json"


@cache
def _validator(file: str) -> Any:
    schema = json.loads((SCHEMAS / file).read_text())
    return jsonschema.Draft202012Validator(schema, registry=_registry())


@cache
def _registry() -> Any:
    schemas = [json.loads(file.read_text()) for file in SCHEMAS.glob("*/*.schema.json")]
    resources = [(schema["$id"], referencing.Resource.from_contents(schema)) for schema in schemas]
    return referencing.Registry().with_resources(resources)
