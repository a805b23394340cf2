"""The flows that come with the server are sound, named after their files, and known to editors."""

from pathlib import Path

import pytest

from ivr.flowfile.load import load_flow
from tests.house.pages import ROOT

FLOWS = sorted((ROOT / "flows").glob("*.yaml"))


@pytest.mark.parametrize("file", [*FLOWS, ROOT / "bench" / "flow.yaml"], ids=lambda file: file.stem)
def test_a_shipped_flow_has_no_finding(file: Path) -> None:
    loaded = load_flow(file)
    assert [found.as_text() for found in loaded.findings] == []
    assert loaded.flow is not None


@pytest.mark.parametrize("file", FLOWS, ids=lambda file: file.stem)
def test_a_shipped_flow_is_called_like_its_file_and_says_what_it_is_for(file: Path) -> None:
    flow = load_flow(file).served()
    assert flow.name == file.stem
    assert flow.description


@pytest.mark.parametrize("file", [*FLOWS, ROOT / "bench" / "flow.yaml"], ids=lambda file: file.stem)
def test_a_shipped_flow_names_its_schema_for_editors(file: Path) -> None:
    first = file.read_text("utf-8").splitlines()[0]
    assert first.startswith("# yaml-language-server: $schema=")
    assert (file.parent / first.partition("=")[2]).resolve() == ROOT / "flows" / "flow.schema.json"


def test_what_shipped_flows_share_names_its_schema_too() -> None:
    for file in (ROOT / "flows" / "shared").glob("*.yaml"):
        first = file.read_text("utf-8").splitlines()[0]
        assert first.startswith("# yaml-language-server: $schema=")
        assert (file.parent / first.partition("=")[2]).resolve() == ROOT / "flows" / "included.schema.json"


def test_audio_that_comes_with_the_flows_is_small() -> None:
    audio = list((ROOT / "flows").glob("*.wav"))
    assert audio
    assert all(file.stat().st_size <= 200_000 for file in audio)
