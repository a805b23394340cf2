"""Flows for tests, through the real reader."""

from functools import cache
from pathlib import Path

from ivr.engine.flow import Flow
from ivr.flowfile.load import load_flow, load_text


@cache
def flow_of(text: str) -> Flow:
    """Build a flow from YAML text that starts with a blank line; an error in it fails the test."""
    return load_text(text.lstrip("\n").encode(), file="test.yaml", folder=Path("no-such-folder")).served()


@cache
def flow_at(path: Path) -> Flow:
    """Build a flow from its file."""
    return load_flow(path).served()
