"""Everything an author, an operator or a developer can name is documented, and what the pages show is true.

The names come from the code: the flow file's models, the checks, the settings, the commands, the events.
"""

import ast
import errno
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import get_args

import click
import pytest
from msgspec import Struct

from ivr.cli import main
from ivr.engine import events
from ivr.engine.expressions import failure as expression_errors
from ivr.engine.expressions import filters
from ivr.flowfile import events as flow_events
from ivr.flowfile.checks import CHECKS
from ivr.flowfile.load import LoadedFlow, load_text
from ivr.flowfile.model_base import Model
from ivr.gateway.gateway_settings import PREFIX, GatewaySettings
from ivr.logs import FIELDS
from ivr.server.phone.page_commands import PageCommand
from ivr.server.phone.page_line import PageMessage
from ivr.setting_sources import value_text
from ivr.settings import Settings, variable
from ivr.speech.registry import Engine
from ivr.speech.voice_registry import VoiceName
from tests.house.pages import PAGES, ROOT, anchors, codes, fences, links, section, table, text

LANGUAGE = text("flow-language.md")


def models(cls: type[Model] = Model) -> list[type[Model]]:
    return [each for sub in cls.__subclasses__() for each in [sub, *models(sub)]]


def found_codes() -> set[str]:
    """Return what `ivr check` can say: the codes that are written out where a finding is made."""
    named = set(get_args(expression_errors.Code))
    for path in (ROOT / "ivr" / "flowfile").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            match node:
                case ast.Call(
                    func=ast.Name(id=maker) | ast.Attribute(attr=maker), args=[ast.Constant(value=str(code)), *_]
                ):
                    named |= {code} if maker in {"Mistake", "refused", "finding"} else set()
                case ast.Return(value=ast.Tuple(elts=[ast.Constant(value=str(code)), _, _])):
                    named.add(code)
    return named


def load(flow: str) -> LoadedFlow:
    """Load an example; audio files are those of the shipped flows."""
    return load_text(flow.encode(), file="example.yaml", folder=ROOT / "flows")


# --- for authors -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cls", models(), ids=lambda cls: cls.__name__)
def test_every_key_of_a_flow_is_documented(cls: type[Model]) -> None:
    assert set(cls.words()) <= codes(LANGUAGE)


def test_every_event_of_a_flow_is_documented() -> None:
    known = {*flow_events.RESERVED, *flow_events.SHARED}
    assert known <= codes(section(LANGUAGE, "## C8. Events"))


def test_every_filter_is_documented() -> None:
    assert set(filters.FILTERS) <= {word.partition("(")[0] for word in codes(section(LANGUAGE, "## C11. Expressions"))}


def test_every_code_of_a_finding_is_declared() -> None:
    assert found_codes() <= set(CHECKS)


def test_the_checks_and_the_schema_are_written_as_the_code_has_them() -> None:
    done = subprocess.run(
        [sys.executable, "tools/write_docs.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_flow_shown_can_be_served_as_it_stands(page: Path) -> None:
    shown = page.read_text("utf-8")
    flows = [*fences(shown, "yaml flow"), *(block for block in fences(shown, "yaml") if block.startswith("flow:"))]
    assert [found.as_text() for flow in flows for found in load(flow).findings] == []


def test_the_flow_of_the_readme_has_ten_lines() -> None:
    (flow,) = fences(text("README.md"), "yaml")
    assert len(flow.splitlines()) == 10


# --- for developers --------------------------------------------------------------------------------------------------


def test_every_name_in_the_architecture_is_one_of_the_code() -> None:
    modules = sorted((ROOT / "ivr").rglob("*.py"))
    files = [*modules, *(ROOT / "tests").glob("*/*.py")]
    known = {word for file in modules for word in re.findall(r"\w+", file.read_text("utf-8"))}
    known |= {part for file in files for part in file.relative_to(ROOT).with_suffix("").parts}
    known |= {variable(name) for name in Settings.model_fields}
    spans = [span for span in codes(text("architecture.md")) if re.fullmatch(r"_?[A-Z][\w.]*|\w*_\w*", span)]
    assert "SpeechToText" in spans
    assert {span.rpartition(".")[2] for span in spans} - known == set()


# --- for operators ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_documented_with_its_default(name: str) -> None:
    table = section(text("operations.md"), "## Settings")
    (row,) = re.findall(rf"^\| `{variable(name)}` \| (.+?) \|", table, re.MULTILINE)
    default = Settings.model_fields[name].get_default(call_default_factory=True)
    match default:
        case bool():
            assert row == ("yes" if default else "no")
        case int() | float():
            assert row == f"{default:g}" or row == str(default)
        case str() | Path():
            assert row == f"`{default}`"
        case tuple() if default:
            assert row == f"`{','.join(default)}`" or "protocol 13" in row
        case _:
            assert row == "none"


@pytest.mark.parametrize("name", GatewaySettings.model_fields)
def test_every_setting_of_the_gateway_is_documented_with_its_default(name: str) -> None:
    table = section(text("gateway.md"), "## Settings")
    (row,) = re.findall(rf"^\| `{PREFIX}{name.upper()}` \| (.+?) \|", table, re.MULTILINE)
    default = value_text(GatewaySettings.model_fields[name].get_default(call_default_factory=True))
    assert row.strip("`") == default.removesuffix(".0")


def test_no_setting_is_documented_that_does_not_exist() -> None:
    known = {variable(name) for name in Settings.model_fields}
    known |= {f"{PREFIX}{name.upper()}" for name in GatewaySettings.model_fields}
    mentioned = {word for page in PAGES for word in re.findall(r"\bIVR_[A-Z_]+[A-Z]\b", page.read_text("utf-8"))}
    assert mentioned <= known


@pytest.mark.parametrize("engine", get_args(Engine))
def test_every_speech_engine_is_documented(engine: str) -> None:
    assert re.search(rf"^\| `{engine}` \|", section(text("speech.md"), "## Which engine"), re.MULTILINE)
    assert f"`{engine}`" in section(text("operations.md"), "## Settings")


@pytest.mark.parametrize("voice", get_args(VoiceName))
def test_every_voice_is_documented(voice: str) -> None:
    assert re.search(rf"^\| `{voice}` \|", section(text("speech.md"), "## Voices"), re.MULTILINE)
    assert f"`{voice}`" in section(text("operations.md"), "## Settings")


def test_every_command_is_documented() -> None:
    assert isinstance(main, click.Group)
    table = section(text("operations.md"), "## Commands")
    assert {f"ivr {name}" for name in main.list_commands(click.Context(main))} <= {
        " ".join(span.split()[:2]) for span in codes(table)
    }


@pytest.mark.parametrize(
    "name", ["serve", "check", "talk", "gateway", "graph", "schema", "transcribe", "speak", "prompts", "settings"]
)
def test_every_command_explains_itself(name: str) -> None:
    assert isinstance(main, click.Group)
    command = main.get_command(click.Context(main), name)
    assert command is not None
    assert command.help
    assert all(option.help for option in command.params if isinstance(option, click.Option))


def test_every_message_that_operators_look_up_is_one_of_the_code() -> None:
    page = text("operations.md")
    first = [table(page, "the phone says"), table(page, "`The database … cannot be used:`")]
    quoted = re.findall("`([^`]+)`", "".join(row.split("|")[1] for rows in first for row in rows))
    quoted += re.findall("`(… [^`]+)`", section(page, "## A damaged database"))
    modules = sorted((ROOT / "ivr").rglob("*.py"))
    nodes = (node for file in modules for node in ast.walk(ast.parse(file.read_text("utf-8"))))
    code = [os.strerror(errno.ECONNREFUSED), *(str(node.value) for node in nodes if isinstance(node, ast.Constant))]
    pieces = {
        " ".join(part.split()) for each in quoted for part in re.split(r"…|The bot answered \d+: |(?<=reached): ", each)
    }
    assert len(quoted) > 10
    assert [piece for piece in pieces if not any(piece in said for said in code)] == []


def test_every_field_of_the_log_is_documented() -> None:
    server, gateway = (section(text(page), "## The log") for page in ("operations.md", "gateway.md"))
    assert set(FIELDS) <= codes(server) | codes(gateway)


# --- for developers --------------------------------------------------------------------------------------------------


def test_every_event_of_the_engine_is_documented_in_its_family() -> None:
    families = section(text("architecture.md"), "## Three families of events")
    rows = {row.split("|")[1].strip(): codes(row) for row in families.splitlines() if row.startswith("| ")}
    for family, union in (
        ("the caller's", events.CallersEvent),
        ("the services'", events.ServicesEvent),
        ("pacing", events.PacingEvent),
    ):
        assert {event.__name__ for event in get_args(union)} == rows[family]


def test_every_message_of_the_phones_page_is_one_of_the_code() -> None:
    shown = codes(section(text("browser-phone.md"), "## How it works"))
    names = {cls.__struct_config__.tag for cls in [*flattened(PageMessage), *flattened(PageCommand)]}
    assert {name for name in shown if re.fullmatch("[A-Z][A-Za-z]+", name)} - {"JSON"} <= names
    assert {cls.__struct_config__.tag for cls in flattened(PageCommand)} <= shown


def flattened(union: object) -> list[type[Struct]]:
    """Return the structs of a union, and of the unions in it."""
    return [each for part in get_args(union) for each in (flattened(part) if get_args(part) else [part])]


# --- for everybody ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in links(page.read_text("utf-8")):
        if target.startswith("https://"):
            continue
        file, _, anchor = target.partition("#")
        path = (page.parent / file) if file else page
        assert path.exists(), target
        assert not anchor or anchor in anchors(path.read_text("utf-8")), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_page_can_be_found_from_the_readme(page: Path) -> None:
    linked = {target.partition("#")[0] for target in links(text("README.md"))}
    assert page.name == "README.md" or f"docs/{page.name}" in linked


def test_what_the_code_says_of_the_docs_is_there() -> None:
    code = "".join(path.read_text("utf-8") for path in (ROOT / "ivr").rglob("*.py"))
    mentioned = set(re.findall(r"\bdocs/[\w-]+\.md\b", code))
    assert mentioned
    assert all((ROOT / name).exists() for name in mentioned)


def test_every_section_that_the_code_refers_to_exists() -> None:
    code = "".join(path.read_text("utf-8") for path in (ROOT / "ivr").rglob("*.py"))
    rules = set(re.findall(r"LANGUAGE (C\d+)", code))
    protocol = set(re.findall(r"[(\s]protocol (\d+)", code))
    assert rules
    assert protocol
    assert rules <= set(re.findall(r"^## (C\d+)\.", LANGUAGE, re.MULTILINE))
    assert protocol <= set(re.findall(r"^## (\d+)\.", text("protocol.md"), re.MULTILINE))


def test_nothing_names_a_folder_of_somebodys_machine() -> None:
    files = [
        *PAGES,
        *(ROOT / "flows").glob("*.yaml"),
        *(ROOT / "ivr").rglob("*.py"),
        ROOT / "Makefile",
        ROOT / "tools/prepare",
    ]
    homes = re.compile(r"(?<![\w.])/(home|root|work|Users)/")
    assert [str(file) for file in files if homes.search(file.read_text("utf-8"))] == []
