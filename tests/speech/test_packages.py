"""Files of somebody's package: found without importing it, and refused if their bytes are not the published ones."""

import hashlib
import sys
from pathlib import Path

import pytest

from ivr.speech.packages import check_digest, package_folder


def test_a_package_is_found_and_not_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "stranger"
    folder.mkdir()
    (folder / "__init__.py").write_text("raise SystemExit('its code ran')")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert package_folder("stranger") == folder
    assert "stranger" not in sys.modules


def test_a_package_that_is_missing_or_a_single_module_has_no_folder() -> None:
    assert package_folder("there_is_no_such_package") is None
    assert package_folder("this") is None


def test_the_published_file_is_taken(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"weights")
    check_digest(tmp_path / "model.bin", hashlib.sha256(b"weights").hexdigest())


def test_another_file_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"weightz")
    with pytest.raises(ValueError, match=r"model\.bin is not the file that was published") as refusal:
        check_digest(tmp_path / "model.bin", hashlib.sha256(b"weights").hexdigest())
    assert "Install its package again" in str(refusal.value)


def test_a_file_that_is_missing_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"model\.bin cannot be read: No such file"):
        check_digest(tmp_path / "model.bin", "0" * 64)
