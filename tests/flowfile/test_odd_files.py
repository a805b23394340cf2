"""What lies in a folder of flows and is no flow."""

import os
from pathlib import Path

import pytest

from ivr.flowfile.load import load_flow
from tests.flowfile.reading import load


def test_a_pipe_is_no_flow_and_nobody_waits_for_it(tmp_path: Path) -> None:
    pipe = tmp_path / "flow.yaml"
    os.mkfifo(pipe)
    with pytest.raises(OSError, match="not a regular file"):
        load_flow(pipe)


def test_of_a_huge_file_no_more_is_read_than_a_flow_may_have(tmp_path: Path) -> None:
    huge = tmp_path / "flow.yaml"
    with huge.open("wb") as file:
        file.truncate(1 << 40)
    assert [found.code for found in load_flow(huge).findings] == ["size"]


def test_a_version_of_yaml_that_is_not_known_is_a_finding() -> None:
    (found,) = [one for one in load("%YAML 1.3\n---\nflow: x\n").findings if one.code == "syntax"]
    assert (found.line, found.message) == (1, "This version of YAML is unknown.")
