from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ivr.audio.workers import Workers

RECORDINGS = Path(__file__).parent / "recordings"


@pytest.fixture
async def workers() -> AsyncIterator[Workers]:
    workers = Workers()
    yield workers
    await workers.close()


@pytest.fixture
def recordings() -> Path:
    """Speech made by flite, as callers' recordings: its README says how."""
    return RECORDINGS


@pytest.fixture
def wma(recordings: Path) -> Path:
    return recordings / "technical-support.wma"
