from pathlib import Path

import pytest

RECORDINGS = Path(__file__).parent / "recordings"


@pytest.fixture
def recordings() -> Path:
    """Speech made by flite, as callers' recordings: its README says how."""
    return RECORDINGS


@pytest.fixture
def wma(recordings: Path) -> Path:
    return recordings / "technical-support.wma"
