"""What the tests of flow files share: loading texts without a folder, and looking at what was found."""

import re
from pathlib import Path

from ivr.capabilities import Capabilities
from ivr.engine.flow import Flow
from ivr.flowfile.checks import CHECKS, Missing, Provided
from ivr.flowfile.finding import as_text
from ivr.flowfile.load import LoadedFlow, load_text

HERE = Path(__file__).parent
NOWHERE = HERE / "no-such-folder"
_TOP = re.compile(
    r"^(flow|description|languages?|include|prompts|voice|timeZone|initial|defaults|commands|on|variables|calendars|goals|"
    r"limits|states)\b *:",
    re.MULTILINE,
)


def whole(example: str) -> str:
    """Make a flow of an example: what goes without saying is added.

    States alone get a flow around them; a call begins in `start`, failures lead to `bye`.
    """
    text = example.strip("\n") + "\n"
    if not _TOP.search(text):
        text = "states:\n" + "".join(f"  {line}\n" if line else "\n" for line in text.splitlines())
    keys = set(_TOP.findall(text))
    head = {"flow": "example", "initial": "start", "on": "{exhausted: bye, error: bye}"}
    before = "".join(f"{key}: {value}\n" for key, value in head.items() if key not in keys)
    after = (
        ""
        if re.search(r"^  bye:", text, re.MULTILINE)
        else "  bye: {say: Goodbye., final: true, outcome: unresolved}\n"
    )
    return before + text + after


def load(
    text: str | bytes,
    *,
    folder: Path = NOWHERE,
    channel: Capabilities | None = None,
    missing: Missing | None = None,
    provided: Provided | None = None,
) -> LoadedFlow:
    """Load a flow from its text."""
    data = text.encode() if isinstance(text, str) else text
    loaded = load_text(
        data,
        file="flow.yaml",
        folder=folder,
        lines={"": channel} if channel else {},
        missing=missing,
        provided=provided,
    )
    undeclared = {found.code for found in loaded.findings} - set(CHECKS)
    assert not undeclared, f"no check declares {undeclared}"
    return loaded


def codes(example: str) -> list[str]:
    """Return what is found in an example, in file order."""
    return [found.code for found in load(whole(example)).findings]


def flow(example: str) -> Flow:
    """Build the flow of an example in which nothing must be found."""
    loaded = load(whole(example))
    assert not loaded.findings, as_text(loaded.findings)
    return loaded.served()


def said(example: str) -> list[str]:
    """Return what is said about an example: code, message and suggestion."""
    return [f"{found.code}: {found.message} {found.suggestion}".strip() for found in load(whole(example)).findings]


def survives(text: str | bytes) -> None:
    """Whatever a file holds: there is a flow or a finding, and what is printed of it is printable."""
    loaded = load(text)
    assert loaded.flow is not None or any(found.is_error for found in loaded.findings)
    rendered = as_text(loaded.findings)
    assert rendered.isprintable() or all(char.isprintable() or char == "\n" for char in rendered)
