from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.console.visiting import Visit, visiting
from tests.fakes.chromium import Browser, Page


@pytest.fixture
async def visit(tmp_path: Path) -> AsyncIterator[Visit]:
    """A server for development."""
    async with visiting(tmp_path) as one:
        yield one


@pytest.fixture
async def shipped(tmp_path: Path) -> AsyncIterator[Visit]:
    """The same with the flows that we ship."""
    async with visiting(tmp_path, shipped=True) as one:
        yield one


@pytest.fixture
async def page(browser: Browser) -> AsyncIterator[Page]:
    """A tab whose page must have nothing to complain about."""
    async with browser.page() as tab:
        yield tab
        assert tab.complaints == []
