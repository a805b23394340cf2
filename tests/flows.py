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


def flow_among(folder: Path, *texts: str) -> Flow:
    """Write flows into a folder, each under its name, and build the first; it can invoke the others."""
    files = []
    for text in texts:
        name = text.lstrip("\n").split("\n", 1)[0].removeprefix("flow: ")
        files.append(folder / f"{name}.yaml")
        files[-1].write_text(text.lstrip("\n"), "utf-8")
    return load_flow(files[0]).served()
