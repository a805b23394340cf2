"""What holds for all tests of the gateway: no settings of this machine."""

import os

import pytest


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in tuple(os.environ):
        if name.startswith("IVR_"):
            monkeypatch.delenv(name)
