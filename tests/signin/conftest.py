from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.signin.sign_in_world import SignInWorld, sign_in_world


@pytest.fixture
async def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SignInWorld]:
    async with sign_in_world(tmp_path, monkeypatch) as one:
        yield one
