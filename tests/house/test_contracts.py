"""The import contracts hold, and each of them would see what it is there for.

One copy of the package gets one planted violation per contract; one run of lint-imports over it must name each.
"""

import ast
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]

PLANTED = {
    "downwards": ("ivr/store/planted_upwards.py", "import ivr.turn"),
    "channels": ("ivr/channels/gathered.py", "import ivr.channels.skype"),
    "phone": ("ivr/phone/wire/planted_reader.py", "import ivr.channels.skype.reading"),
    "carriers": ("ivr/carriers/planted_codec.py", "import ivr.channels.skype.codec"),
    "phone-rooms": ("ivr/phone/net/planted_call.py", "import ivr.phone.platform"),
    "sip-rooms": ("ivr/sip/dialog.py", "import ivr.sip.endpoint"),
    "media": ("ivr/media/planted_line.py", "import ivr.line"),
    "useragent": ("ivr/useragent/planted_talk.py", "import ivr.line"),
    "stores": ("ivr/store/memory/memory_calls.py", "import ivr.store.sqlite.sqlite_calls"),
    "drivers": ("ivr/cli/planted_driver.py", "import ivr.store.sqlite.sqlite_archive"),
    "speech": ("ivr/speech/engines/scripted.py", "import ivr.speech.engines.openai"),
    "voices": ("ivr/speech/voices/azure_voice.py", "import ivr.speech.voices.openai_voice"),
    "pure": ("ivr/engine/planted_clock.py", "import time"),
    "gateway-decisions": ("ivr/rate_limit.py", "import time"),
    "actions": ("ivr/engine/machine.py", "import ivr.engine.actions.menu"),
    "plugin": ("ivr/trace/pytest_items.py", "import ivr.trace.plugin"),
    "stages": ("ivr/flowfile/yaml/syntax.py", "import ivr.flowfile.document"),
    "ruamel": ("ivr/cli/planted_yaml.py", "import ruamel.yaml"),
    "pydantic": ("ivr/server/planted_model.py", "import pydantic"),
    "holidays": ("ivr/engine/planted_holidays.py", "import holidays"),
    "jinja2": ("ivr/flowfile/planted_template.py", "import jinja2"),
    "babel": ("ivr/server/planted_plurals.py", "import babel"),
    "sqlite3": ("ivr/server/planted_query.py", "import sqlite3"),
    "asyncpg": ("ivr/server/planted_pool.py", "import asyncpg"),
    "aiohttp": ("ivr/auth/planted_web.py", "import aiohttp"),
    "av": ("ivr/server/planted_decoder.py", "import av"),
    "pylibsrtp": ("ivr/rtp/planted_cipher.py", "import pylibsrtp"),
    "pocketsphinx": ("ivr/speech/planted_ear.py", "import pocketsphinx"),
    "whisper": ("ivr/speech/engines/whisper/whisper_engine.py", "import faster_whisper"),
    "numpy": ("ivr/speech/planted_arrays.py", "import numpy"),
    "hibari": ("ivr/speech/voices/hibari/hibari_voice.py", "import hibari"),
    "azure": ("ivr/speech/planted_sdk.py", "import azure"),
    "multipart": ("ivr/server/planted_form.py", "import python_multipart"),
    "jwt": ("ivr/server/planted_token.py", "import jwt"),
    "cryptography": ("ivr/server/planted_key.py", "import cryptography"),
    "prometheus": ("ivr/server/planted_counter.py", "import prometheus_client"),
    "opentelemetry": ("ivr/server/planted_span.py", "import opentelemetry"),
    "click": ("ivr/server/planted_prompt.py", "import click"),
}


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run lint-imports on the package in a folder."""
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()", "--no-cache"]
    return subprocess.run(
        [*command, "--no-logo"], cwd=folder, capture_output=True, text=True, timeout=120, check=False,
        env={"PYTHONPATH": str(folder), "COLUMNS": "400", "PATH": "/usr/bin:/bin"},
    )  # fmt: skip


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return what lint-imports says of a copy with all violations in it."""
    folder = tmp_path_factory.mktemp("planted")
    shutil.copytree(ROOT / "ivr", folder / "ivr", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    for file, line in PLANTED.values():
        path = folder / file
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"{path.read_text('utf-8') if path.exists() else ''}\n{line}\n", "utf-8")
    done = lint(folder)
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stdout


def test_every_contract_has_a_planted_violation() -> None:
    assert set(PLANTED) == {contract["id"] for contract in CONTRACTS}


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract["id"])
def test_a_planted_violation_breaks_its_contract(planted: str, contract: dict[str, str]) -> None:
    importer, imported = PLANTED[contract["id"]]
    module = importer.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    details = planted.partition("Broken contracts")[2].partition(f"\n{contract['name']}\n---")[2].partition("\n\n\n")[0]
    assert f"{contract['name']} BROKEN" in planted
    assert module in details
    assert imported.removeprefix("import ").partition(".yaml")[0] in details


def test_the_package_keeps_its_contracts() -> None:
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_web_server_half_of_aiohttp_has_its_doors() -> None:
    """lint-imports sees aiohttp as one module; its server half is for the server, and for what plays a platform."""
    inside = {path for path in (ROOT / "ivr").rglob("*.py") if imports_web(path)}
    assert inside
    assert {path.relative_to(ROOT / "ivr").parts[0] for path in inside} <= {"server", "phone", "gateway", "carriers"}


def test_nothing_but_tests_is_made_with_what_is_there_for_tests() -> None:
    """Who measures, or makes the shipped cases, has no part in how tests are written."""
    others = [path for folder in ("ivr", "bench", "recordings", "tools") for path in (ROOT / folder).rglob("*.py")]
    assert len(others) > 200
    assert [str(path) for path in others if any(name.split(".")[0] == "tests" for name in imported(path))] == []


def imports_web(path: Path) -> bool:
    return any(name.startswith("aiohttp.web") for name in imported(path))


def imported(path: Path) -> list[str]:
    return [
        f"{node.module}.{alias.name}" if isinstance(node, ast.ImportFrom) else alias.name
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    ]
