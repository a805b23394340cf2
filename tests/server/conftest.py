from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.server.harness import Served, serving
from tests.server.process import DESK


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    """A server in this process, with twins behind its doors."""
    async with serving(tmp_path) as one:
        yield one


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A working directory with one flow, for a server process."""
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "desk.yaml").write_text(DESK)
    return tmp_path
