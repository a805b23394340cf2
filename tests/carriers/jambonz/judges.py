"""jambonz's own packages, asked in Node (`tests/peers/jambonz_judges.js`)."""

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

PEERS = Path(__file__).parents[2] / "peers"
NODE = shutil.which("node")

needs_judges = pytest.mark.skipif(
    NODE is None or not (PEERS / "node_modules/@jambonz/schema").exists(),
    reason="needs Node, and `npm install` in tests/peers (make test does it)",
)


def judged(
    *,
    documents: Sequence[Any] = (),
    payloads: Sequence[tuple[str, Any]] = (),
    signatures: Sequence[tuple[str, str | None, str]] = (),
) -> dict[str, list[str]]:
    """Return what the judges say of each: empty, or what is wrong."""
    asked = {"documents": list(documents), "payloads": list(payloads), "signatures": list(signatures)}
    done = subprocess.run(
        [NODE or "node", "jambonz_judges.js"],
        input=json.dumps(asked).encode(),
        cwd=PEERS,
        capture_output=True,
        check=True,
        timeout=120,
    )
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found
