"""What the tests of flow files share: loading texts without a folder, and looking at what was found."""

from pathlib import Path

from ivr.engine.flow import Flow
from ivr.flowfile.catalogue import whole
from ivr.flowfile.checks.speech import Missing
from ivr.flowfile.finding import as_text
from ivr.flowfile.load import LoadedFlow, load_text
from ivr.ports import Capabilities

HERE = Path(__file__).parent
NOWHERE = HERE / "no-such-folder"


def load(
    text: str | bytes,
    *,
    folder: Path = NOWHERE,
    channel: Capabilities | None = None,
    missing: Missing | None = None,
) -> LoadedFlow:
    """Load a flow from its text."""
    data = text.encode() if isinstance(text, str) else text
    return load_text(data, file="flow.yaml", folder=folder, channel=channel, missing=missing)


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
