import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.fakes.chromium import Page

Photograph = Callable[[Page, str], Awaitable[None]]
PICTURES = os.environ.get("PICTURES")
"A folder for pictures of what the documentation shows: `PICTURES=docs/images pytest tests/peers`."


@pytest.fixture
def photograph() -> Photograph:
    """Keep a picture of a page for the documentation; nothing, where no folder for them is named."""

    async def keep(page: Page, name: str) -> None:
        if PICTURES:
            await page.photograph(Path(PICTURES) / f"{name}.png")

    return keep
