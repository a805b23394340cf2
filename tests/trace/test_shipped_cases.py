"""The shipped cases take every transition and hear every text of every shipped flow, and all replay as same."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ivr.flowfile.document import Document
from ivr.flowfile.load import load_flow
from ivr.flowfile.validate import validate
from ivr.flowfile.yaml.reader import read
from ivr.trace.current_flows import CurrentFlows
from ivr.trace.files import case_files, dumps, read_case
from ivr.trace.replay import replay
from recordings.texts import edited, texts_of
from tests.trace.recorded_calls import ROOT, SHIPPED

CASES = ROOT / "recordings" / "cases"
NEVER_SEEN = {"error.expression", "error.limit"}
"What checked flows do not raise, and what takes 200 turns or half an hour."


def transitions(path: Path) -> Iterator[tuple[str, str, str]]:
    """Every way out of every state that a caller, the line or a service can bring about."""
    reading = read(str(path), path.read_bytes())
    validated = validate(reading)
    assert validated.model is not None
    document = Document(reading.source, validated.model)
    for name, transitions in document.transitions.items():
        state = validated.model.states[name]
        for way in transitions:
            is_on_the_line = all(action.is_on_the_line for action in state.actions) and state.transfer is None
            nothing_on_the_line = not is_on_the_line and way.event in {"error.system", "error.workflow"}
            unread = way.event == "error.recording" and not (state.record and state.record.transcribe)
            if way.event not in NEVER_SEEN and not nothing_on_the_line and not unread:
                yield name, way.event, way.target


def cases_of(path: Path) -> list[Path]:
    return case_files([CASES / path.stem])


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_transition_of_a_shipped_flow_is_taken_by_a_case(path: Path) -> None:
    taken = {
        (one.state, one.event, one.target)
        for file in cases_of(path)
        for line in read_case(file).lines
        for one in line.path
    }
    untaken = [way for way in transitions(path) if not any(_is_one(way, one) for one in taken)]
    assert untaken == [], "make them again: python -m recordings.make_cases"


def _is_one(way: tuple[str, str, str], taken: tuple[str, str, str]) -> bool:
    """A status is raised with its number behind the name of the event."""
    return way == taken or (way[1] == "error.http.status" and taken[1].startswith(f"{way[1]}.") and way[0] == taken[0])


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_case_replays_as_same(path: Path) -> None:
    registry = CurrentFlows.of(ROOT / "flows")
    for file in cases_of(path):
        recorded = read_case(file)
        today = registry.get(recorded)
        assert (file.name, replay(recorded, today.flow).verdict) == (file.name, "same")
        assert recorded.header.hash == today.flow.hash


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_whichever_text_of_a_shipped_flow_is_edited_some_case_is_changed(path: Path) -> None:
    flow = load_flow(path).served()
    cases = [read_case(file) for file in cases_of(path)]
    unnoticed = [
        said
        for said in texts_of(flow)
        if not any(replay(one, edited(flow, {said: "Other words."})).verdict == "changed" for one in cases)
    ]
    assert unnoticed == [], "make the cases again: python -m recordings.make_cases"


def test_every_shipped_case_is_written_again_to_the_byte() -> None:
    for file in case_files([CASES]):
        assert dumps(read_case(file)) == file.read_bytes(), file
