from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.console.visiting import Visit, visiting


@pytest.fixture
async def visit(tmp_path: Path) -> AsyncIterator[Visit]:
    """A stranger before the console of a server that checks tokens."""
    async with visiting(tmp_path, tokens=True) as one:
        yield one


@pytest.fixture
async def operator(visit: Visit) -> Visit:
    """Somebody who is logged in."""
    status, _, _ = await visit.log_in()
    assert status == 303
    return visit
