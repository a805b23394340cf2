"""On what something was measured: the day, the machine, the versions."""

import os
import platform
import re
import shutil
import sqlite3
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct


class Machine(Struct, frozen=True):
    """What figures depend on."""

    day: str
    "UTC."
    processor: str
    cores: int
    python: str
    sqlite: str
    node: str | None
    "None: Node is not installed."

    def __str__(self) -> str:
        """Return it as a title says it."""
        node = f", Node {self.node}" if self.node else ""
        return f"{self.day}, {self.processor}, {self.cores} cores, Python {self.python}, SQLite {self.sqlite}{node}"


def this_machine() -> Machine:
    """Return this machine, today."""
    found = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return Machine(
        day=datetime.now(UTC).date().isoformat(),
        processor=found[1].strip() if found else platform.machine(),
        cores=os.cpu_count() or 1,
        python=platform.python_version(),
        sqlite=sqlite3.sqlite_version,
        node=_node(),
    )


def _node() -> str | None:
    node = shutil.which("node")
    if node is None:
        return None
    return subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout.strip().lstrip("v")
